"""What the page does, a function each: (page, server, url, shots)."""
import json
import os
import time

SPANS = "[...document.querySelectorAll('.token')]"
DONE = "!document.body.classList.contains('busy') && document.querySelector('.answer') !== null"
LAST = "document.querySelector('.answer:last-child')"


def run(case, page, server, url, shots):
    """Whatever a case is about, the page asks nobody else and complains of nothing but what the case expects."""
    if server:
        server.key, server.busy = None, 1
        server.bodies.clear(), server.keys.clear(), server.gone.clear()
    page.show(1280, 860)
    page.open(url)
    page.wait("server && server.length > 0")
    expected = case(page, server, url, shots) or ()
    page.value("1")
    for request in page.requests:
        assert request.startswith((url, "data:", "blob:" + url)), "asked " + request
    for complaint in page.complaints:
        assert any(word in complaint for word in expected), complaint


def ask(page, text, wait=True):
    page.value("document.getElementById('ask').focus()")
    page.type(text)
    page.key("Enter")
    if wait:
        page.wait(DONE, 60)


def shot(page, shots, name):
    if shots:
        page.shot(os.path.join(shots, "page_%s.png" % name))


def equal(found, expected):
    assert found == expected, "found %r, expected %r" % (found, expected)


# ---- an answer ----


def answer(page, server, url, shots):
    ask(page, "How many ways are there to tile a strip of 2 by 10 with dominoes?")
    text = page.value(LAST + ".querySelector('.text').textContent")
    assert "Fibonacci" in text and text.endswith("2 by 10."), text
    told = page.value("talk.turns[1].answer.trace.map(t => [t.text, t.model])")
    equal(page.value(SPANS + ".map(s => [s.textContent, s.classList.contains('large') ? 'large' : 'small'])"), told)
    assert {"small", "large"} == {model for _, model in told}
    small, large = (page.value("(s => s.backgroundColor + s.boxShadow)(getComputedStyle(document.querySelector('.token.%s')))" % w)
                    for w in ("small", "large"))
    assert small != large and "none" in small and "inset" in large, "told apart by colour alone"
    body = server.bodies[0]
    equal([body["model"], body["stream"], body["stream_options"], body["ead"]],
          ["ead", True, {"include_usage": True}, {"trace": True, "tau": 1, "window": 5, "dwell": 10}])
    equal(body["messages"], [{"role": "user", "content": "How many ways are there to tile a strip of 2 by 10 with dominoes?"}])
    assert "temperature" not in body and "max_tokens" not in body
    sums = page.value(LAST + ".querySelector('.sums').innerText")
    assert all(word in sums for word in ("tokens/s", "% large", "% saved", "%d tokens" % len(told))), sums
    totals = page.value("document.getElementById('totals').innerText")
    assert str(len(told)) in totals and "1 answer" in totals, totals
    share = page.value("Math.round(100 * %s.filter(s => s.classList.contains('large')).length / %d)" % (SPANS, len(told)))
    assert "%d %%" % share in totals and "%d %% large" % share in sums, (share, totals, sums)
    page.wait("document.getElementById('status').textContent.startsWith('Answered: %d tokens')" % len(told))


def line(page, server, url, shots):
    ask(page, "Tell me")
    page.wait("!%s.querySelector('canvas').getContext('2d').getImageData(0, 0, 900, 100).data.every(x => x === 0)" % LAST)
    equal(page.value("[talk.turns[1].answer.line.tau, talk.turns[1].answer.line.trace.length === talk.turns[1].answer.trace.length]"),
          [1, True])
    assert "τ is 1" in page.value(LAST + ".querySelector('canvas').getAttribute('aria-label')")
    box = page.value("(b => [b.left, b.top])(document.querySelectorAll('.token')[9].getBoundingClientRect())")
    page.move(box[0] + 3, box[1] + 8)
    page.wait("!document.getElementById('tip').hidden")
    tip = page.value("document.getElementById('tip').innerText")
    t = page.value("talk.turns[1].answer.trace[9]")
    assert "%.3f bits" % t["entropy"] in tip and "%.3f bits" % t["rolling"] in tip and t["model"] + " model" in tip, tip
    equal(page.value("talk.turns[1].answer.line.cursor"), 9)
    box = page.value("(b => [b.left, b.top])(document.querySelector('canvas').getBoundingClientRect())")
    page.move(box[0] + 54 + 3.5 * page.value("talk.turns[1].answer.line.step()"), box[1] + 30)
    page.wait("document.querySelectorAll('.token')[3].classList.contains('on')")
    page.move(2, 2)
    page.wait("document.getElementById('tip').hidden")


def cut(page, server, url, shots):
    import mock
    ask(page, "cut")
    equal(page.value(LAST + ".querySelector('.text').textContent"), mock.MARKUP)
    equal(page.value("talk.turns[1].answer.usage.completion_tokens === talk.turns[1].answer.trace.length"), True)


def events(page, server, url, shots):
    """Every event arrives whole however the bytes are cut, one by one and at each place in two."""
    equal(page.value(r"""(async () => {
        const bytes = new TextEncoder().encode(': note\r\ndata: caf\u00e9 \u{1f9ee}\r\n\r\nid: 7\ndata:a\ndata:  b\n\ndata\r\rdata: end\n\ndata: lost');
        const read = async pieces => {
            const told = [];
            await readEvents(new ReadableStream({ start(c) { pieces.forEach(p => c.enqueue(p)); c.close(); } }), d => { told.push(d); });
            return JSON.stringify(told);
        };
        const all = new Set([await read([...bytes].map(b => new Uint8Array([b])))]);
        for (let i = 0; i <= bytes.length; i++) all.add(await read([bytes.slice(0, i), bytes.slice(i)]));
        return [...all];
    })()"""), ['["caf\u00e9 \U0001f9ee","a\\n b","","end"]'])


def markup(page, server, url, shots):
    ask(page, "markup")
    equal(page.value("[document.querySelectorAll('.text img, .text script').length, window.broken === undefined]"), [0, True])
    assert "<img src=x" in page.value(LAST + ".querySelector('.text').textContent")


def struck(page, server, url, shots):
    """What was refused is struck through before what stands there, and part of nothing that is told."""
    ask(page, "struck how many ways are there to tile a strip?")
    told = page.value("talk.turns[1].answer.trace.map(t => t.text).join('')")
    lost = page.value("[...document.querySelectorAll('.lost')].map(s => s.textContent)")
    equal(lost[:2], ["\u2423sum", "\u23ce<b>"])
    equal(len(lost), 2 * sum(i % 10 == 3 for i in range(page.value("talk.turns[1].answer.trace.length"))))
    equal(page.value("[talk.turns[1].answer.content, talk.turns[1].answer.spans.map(s => s.textContent).join('')]"), [told, told])
    equal(page.value("(s => [s.nextSibling.nextSibling.at, getComputedStyle(s).textDecorationLine, s.getAttribute('aria-hidden')])"
                     "(document.querySelector('.lost'))"), [3, "line-through", "true"])
    point = "document.querySelectorAll('.lost')[%d].dispatchEvent(new Event('pointerover', { bubbles: true })), document.getElementById('tip').textContent"
    first, second = page.value(point % 0), page.value(point % 1)
    assert "refused by the large model" in first and "0.2 %" in first and "97.0 %" in first, first
    assert "given up" in second and "highest" not in second, second
    shot(page, shots, "struck")
    ask(page, "and then?")
    equal(server.bodies[-1]["messages"][1], {"role": "assistant", "content": told})
    page.value("document.getElementById('writers').click()")
    equal(page.value("getComputedStyle(document.querySelector('.lost')).display"), "none")


def held(page, server, url, shots):
    """Tokens that came without text keep their own, where the text that came later has it."""
    equal(page.value("""(() => {
        const a = new Answer({ model: 'ead', ead: { tau: 1 } }), t = (i, text) => ({ i, text, model: 'small', entropy: 1, rolling: 1 });
        a.add('', t(0, ' on')); a.add(' one', t(1, 'e')); a.add('', t(2, '\\ufffd')); a.add('é', t(3, '\\ufffd')); a.add('', t(4, 'x'));
        a.end('stop');
        return [a.content, ...a.spans.map(s => s.textContent)];
    })()"""), [" oneé", " on", "e", "", "é", ""])


# ---- controls ----


def sliders(page, server, url, shots):
    equal(page.value("[...document.querySelectorAll('#sliders input[type=range]')].map(r => [r.id, +r.min, +r.max, +r.value])"),
          [["at-tau", 0, 4, 1], ["at-window", 1, 32, 5], ["at-dwell", 1, 32, 10]])
    set_value = "(n, v) => { const e = document.getElementById(n); e.value = v; e.dispatchEvent(new Event('input', { bubbles: true })); }"
    ask(page, "slow", wait=False)
    page.wait(SPANS + ".length > 3")
    page.value("(%s)('at-tau', 0.4)" % set_value)
    equal(page.value("document.querySelector('#sliders input[type=number]').value"), "0.4")
    equal(page.value("talk.answer.line.tau"), 1)  # the answer that is being written keeps its own
    page.key("Escape")
    page.wait(DONE)
    page.value("(%s)('at-window', 3); (%s)('at-dwell', 2); (%s)('most', 30); (%s)('at-temperature', 0.5)" % ((set_value,) * 4))
    page.value("document.getElementById('system').value = ' Be brief. '")
    ask(page, "Tell me")
    body = server.bodies[-1]
    equal(body["ead"], {"trace": True, "tau": 0.4, "window": 3, "dwell": 2})
    equal([body["max_tokens"], body["temperature"], body["messages"][0]], [30, 0.5, {"role": "system", "content": "Be brief."}])
    equal([m["role"] for m in body["messages"]], ["system", "user", "assistant", "user"])
    assert "limit of tokens" in page.value(LAST + ".querySelector('.sums').innerText")
    page.click("#reset")
    equal(page.value("settings().ead"), {"trace": True, "tau": 1, "window": 5, "dwell": 10})
    page.click("#models input[value=large]")
    ask(page, "Tell me")
    equal([server.bodies[-1]["model"], server.bodies[-1]["ead"]], ["large", {"trace": True}])
    equal(page.value("[document.getElementById('at-tau').disabled, talk.turns.at(-1).answer.line.tau]"), [True, None])


def endless(page, server, url, shots):
    """A threshold that is no number in JSON is the server's own until it is moved."""
    page.value("showModels(server.map(m => m.id === 'ead' ? { ...m, ead: { ...m.ead, tau: null, "
               "options: m.ead.options.map(o => o.name === 'tau' ? { ...o, default: null } : o) } } : m))")
    equal(page.value("settings().ead"), {"trace": True, "tau": None, "window": 5, "dwell": 10})
    page.value("(e => { e.value = 2; e.dispatchEvent(new Event('input', { bubbles: true })); })(document.getElementById('at-tau'))")
    equal(page.value("settings().ead.tau"), 2)
    page.click("#reset")
    ask(page, "Tell me")
    equal(server.bodies[-1]["ead"]["tau"], None)


def alone(page, server, url, shots):
    """A server of one model hands nothing over, so nothing is asked about it."""
    page.value("showModels(server.filter(m => m.id !== 'small').map(m => m.id === 'ead' ? { ...m, ead: { ...m.ead, small: null } } : m))")
    equal(page.value("[settings().ead, document.getElementById('sliders').hidden, document.querySelectorAll('#models input').length]"),
          [{"trace": True}, True, 2])
    assert "small.gguf" not in page.value("document.querySelector('header').innerText")
    ask(page, "Tell me")
    equal(page.value("talk.turns[1].answer.line.tau"), None)


def stop(page, server, url, shots):
    ask(page, "slow", wait=False)
    page.wait(SPANS + ".length > 5")
    page.click("#send")
    page.wait(DONE)
    until = time.monotonic() + 10
    while "slow" not in server.gone and time.monotonic() < until:
        time.sleep(0.05)
    equal(server.gone, ["slow"])
    n = page.value(SPANS + ".length")
    time.sleep(0.2)
    equal(page.value(SPANS + ".length"), n)
    assert "stopped" in page.value(LAST + ".querySelector('.sums').innerText")


def regenerate(page, server, url, shots):
    ask(page, "First")
    ask(page, "Second")
    equal(page.value("document.querySelectorAll('.again').length"), 1)
    page.click(".again")
    page.wait("document.body.classList.contains('busy')")
    page.wait(DONE)
    equal(len(server.bodies), 3)
    equal(server.bodies[2]["messages"], server.bodies[1]["messages"])
    equal(page.value("talk.turns.map(t => t.role)"), ["user", "assistant"] * 2)
    equal(page.value("document.querySelectorAll('.turn').length"), 4)


def copy_and_export(page, server, url, shots):
    page.call("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"], origin=url)
    folder = os.path.join(page.folder, "downloads")
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=folder)
    page.value("sessionStorage.setItem('ead.key', 'secret'); document.getElementById('key').value = 'secret'")
    ask(page, "Tell me")
    page.click(".acts button")
    page.wait("document.querySelector('.acts button').textContent === 'Copied'")
    equal(page.value("navigator.clipboard.readText()"), page.value("talk.turns[1].answer.content"))
    page.value("Object.defineProperty(navigator, 'clipboard', { value: undefined })")  # as on plain HTTP
    page.wait("document.querySelector('.acts button').textContent === 'Copy'")
    page.click(".acts button")
    page.wait("document.querySelector('.acts button').textContent === 'Copied'")
    page.click("#export")
    until, names = time.monotonic() + 10, []
    while not names and time.monotonic() < until:
        time.sleep(0.05)
        names = [n for n in os.listdir(folder) if n.endswith(".json")] if os.path.isdir(folder) else []
    assert names and names[0].startswith("ead-"), "nothing was downloaded"
    with open(os.path.join(folder, names[0])) as file:
        text = file.read()
    told = json.loads(text)
    assert "secret" not in text
    equal([t["role"] for t in told["turns"]], ["user", "assistant"])
    last = told["turns"][1]
    equal(len(last["trace"]), last["usage"]["completion_tokens"])
    equal([last["settings"]["ead"]["tau"], last["finish_reason"]], [1, "stop"])
    equal(server.keys[-1], "Bearer secret")


# ---- trouble ----


def busy(page, server, url, shots):
    ask(page, "busy")
    trouble = page.wait(LAST + ".querySelector('.trouble').innerText")
    assert "queue is full" in trouble and "best in" in trouble, trouble
    shot(page, shots, "busy")
    page.click(".trouble button")
    page.wait("document.querySelector('.token')")
    page.wait(DONE)
    equal(page.value("talk.turns.length"), 2)
    return ["503"]


def refused(page, server, url, shots):
    ask(page, "refuse")
    assert "temperature: must be from 0 to 2" in page.value(LAST + ".querySelector('.trouble').innerText")
    ask(page, "Tell me")
    equal([m["content"] for m in server.bodies[-1]["messages"]], ["Tell me"])  # what was not answered is not sent again
    return ["400"]


def broken(page, server, url, shots):
    ask(page, "break")
    assert 0 < page.value(SPANS + ".length") <= 20  # the browser drops what it had not yet handed over
    assert "connection broke" in page.value(LAST + ".querySelector('.trouble').innerText")
    ask(page, "short")
    assert "ended before it was complete" in page.value(LAST + ".querySelector('.trouble').innerText")
    ask(page, "fault")
    assert "the large model could not be read" in page.value(LAST + ".querySelector('.trouble').innerText")
    shot(page, shots, "broken")
    return ["ERR_"]


def gone(page, server, url, shots):
    page.value("fetch = () => Promise.reject(new TypeError('no route'))")
    ask(page, "Tell me")
    assert "cannot be reached" in page.value(LAST + ".querySelector('.trouble').innerText")


def key(page, server, url, shots):
    server.key = "s3cret"
    ask(page, "Tell me")
    assert "API key" in page.value(LAST + ".querySelector('.trouble').innerText")
    page.wait("document.activeElement.id === 'key'")
    page.type("s3cret")
    page.value("[...document.querySelectorAll('.trouble button')].at(-1).click()")
    page.wait("document.querySelector('.token')")
    page.wait(DONE)
    equal([server.keys[-1], page.value("sessionStorage.getItem('ead.key')"), page.value("localStorage.length")],
          ["Bearer s3cret", "s3cret", 0])
    page.value("sessionStorage.clear()")
    page.open(url + "?again")
    page.wait("!document.getElementById('notice').hidden && document.activeElement.id === 'key'")
    page.type("s3cret")
    page.key("Tab")
    page.wait("server && document.getElementById('notice').hidden")
    return ["401"]


# ---- keys, looks ----


def keyboard(page, server, url, shots):
    equal(page.value("document.activeElement.id"), "ask")
    page.type("slow one")
    page.key("Enter", shift=True)
    page.type("two")
    page.key("Enter")
    page.wait(SPANS + ".length > 2")
    page.type("next")
    page.key("Enter")  # waits for the answer that is being written
    page.key("Escape")
    page.wait(DONE)
    equal([server.bodies[0]["messages"][0]["content"], len(server.bodies), page.value("document.getElementById('ask').value")],
          ["slow one\ntwo", 1, "next"])
    page.value(LAST + ".querySelector('.text').focus()")
    page.key("ArrowRight")
    page.key("ArrowRight")
    equal(page.value(SPANS + ".indexOf(document.activeElement)"), 1)
    assert "entropy" in page.value("document.getElementById('tip').innerText")
    equal(page.value("document.activeElement.getAttribute('aria-describedby')"), "tip")
    assert page.value("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.key("End")
    equal(page.value(SPANS + ".indexOf(document.activeElement) === %s.length - 1" % SPANS), True)
    seen = []
    page.value("document.body.focus(), document.activeElement.blur()")
    for _ in range(40):
        page.key("Tab")
        seen.append(page.value("""(e => e.id || e.className || (e.name ? e.name + '=' + e.value : e.textContent))(document.activeElement)"""))
        outline = page.value("(e => { const s = getComputedStyle(e), n = e.nextElementSibling;"
                             " return [s, e.type === 'radio' ? getComputedStyle(n) : s, getComputedStyle(e.parentElement)]"
                             ".some(s => s.outlineStyle !== 'none') ||"
                             " e.type === 'range' || e === document.body; })(document.activeElement)")
        assert outline, "no visible focus on " + seen[-1]
    for name in ("skip", "fresh", "export", "scheme", "text", "again", "ask", "at-tau", "most", "system", "key", "writers"):
        assert name in seen, "%s is not reached by Tab: %s" % (name, seen)


def labels(page, server, url, shots):
    ask(page, "Tell me")
    equal(page.value("""[...document.querySelectorAll('button, input, textarea, canvas, [role=group]')].filter(e =>
        !e.labels?.length && !e.textContent.trim() && !e.getAttribute('aria-label')).map(e => e.outerHTML)"""), [])
    equal(page.value("document.getElementById('talk').closest('[aria-live]')"), None)


def schemes(page, server, url, shots):
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.value(paper)
    page.show(1280, 860, dark=True)
    page.wait("document.documentElement.dataset.scheme === 'dark'")
    dark = page.value(paper)
    assert dark != light
    page.click("#scheme")
    equal(page.value(paper), light)
    page.open(url + "?again")  # the choice stays
    equal(page.value(paper), light)
    page.click("#scheme")
    equal([page.value(paper), page.value("localStorage.length")], [dark, 0])


def reduced(page, server, url, shots):
    page.show(1280, 860)
    ask(page, "slow", wait=False)
    page.wait(SPANS + ".length > 2")
    equal(page.value("document.getAnimations().length > 0"), True)
    page.show(1280, 860, calm=True)
    equal(page.value("document.getAnimations().length"), 0)
    page.key("Escape")
    page.wait(DONE)


def phone(page, server, url, shots):
    page.show(360, 740, phone=True)
    page.open(url + "?phone")
    page.wait("server && server.length")
    wide = "document.documentElement.scrollWidth <= 360"
    equal(page.value(wide), True)
    ask(page, "How many ways are there to tile a strip? " + "unbroken" * 20)
    equal(page.value(wide), True)
    page.call("Emulation.setTouchEmulationEnabled", enabled=True)
    x, y = page.value("(b => [b.left + 4, b.top + 9])(document.querySelectorAll('.token')[130].getBoundingClientRect())")
    assert 60 < y < 640, y
    for target, tip in (([x, y], True), ([x, 20], False)):
        page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": target[0], "y": target[1]}])
        page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        page.wait("document.getElementById('tip').hidden === %s" % ("false" if tip else "true"), 5)
    page.click("#opener")
    page.wait("getComputedStyle(document.getElementById('panel')).display !== 'none'")
    equal([page.value(wide), page.value("document.querySelector('main').inert")], [True, True])
    page.key("Escape")
    page.wait("getComputedStyle(document.getElementById('panel')).display === 'none'")
    equal(page.value("document.activeElement.id"), "opener")


def long_answer(page, server, url, shots):
    """4,000 tokens stay smooth: each is put in once and nothing is taken out, and one more costs no frame."""
    page.value("""window.moved = [0, 0]; window.sum = Answer.prototype.sum; Answer.prototype.sum = () => {};
    new MutationObserver(all => all.forEach(m => {
        moved[0] += [...m.addedNodes].filter(n => n.className !== 'block').length; moved[1] += m.removedNodes.length;
    })).observe(document.getElementById('talk'), { childList: true, subtree: true })""")
    ask(page, "long")  # the sums are left out here: they are replaced, as they should be
    equal(page.value(SPANS + ".length"), 4000)
    equal(page.value("[...document.querySelectorAll('.block')].every(b => b.childElementCount < 400)"), True)
    added, removed = page.value("moved")
    assert added < 4020 and removed == 0, "%d nodes put in, %d taken out" % (added, removed)
    cost = page.value("""(() => {
        const a = talk.turns[1].answer, times = [];
        Answer.prototype.sum = sum;
        for (let i = 0; i < 41; i++) {
            const began = performance.now();
            a.add(' more', { ...a.trace[5], i: 4000 + i });
            a.flush(); a.line.draw(); document.body.offsetHeight;
            times.push(performance.now() - began);
        }
        return times.sort((x, y) => x - y)[20];
    })()""")
    print("          the 4,000th token costs %.1f ms" % cost)
    assert cost < 50, "a token costs %g ms" % cost


def scrolling(page, server, url, shots):
    ask(page, "long")
    end = "Math.abs(document.documentElement.scrollHeight - innerHeight - scrollY) < 3"
    page.wait(end)
    ask(page, "slow", wait=False)
    page.wait(SPANS + ".length > 4010 && " + end)
    page.value("scrollTo(0, 100)")
    n = page.value(SPANS + ".length")
    page.wait(SPANS + ".length > %d + 10" % n)
    equal(page.value("scrollY"), 100)
    page.key("Escape")
    page.wait(DONE)


def looks(page, server, url, shots):
    """Both schemes, desk and phone, to be looked at."""
    for name, width, height, handheld in (("desk", 1280, 860, False), ("phone", 390, 844, True)):
        for dark in (False, True):
            label = "%s_%s" % (name, "dark" if dark else "light")
            page.show(width, height, phone=handheld, dark=dark, calm=True)
            page.open("%s?%s" % (url, label))
            page.wait("server && server.length")
            equal(page.value("document.documentElement.scrollWidth <= innerWidth"), True)
            shot(page, shots, label + "_welcome")
            ask(page, "How many ways are there to tile a strip of 2 by 10 with dominoes?")
            ask(page, "slow, and now for a strip of 2 by 200", wait=False)
            page.wait(SPANS + ".length > 260")
            page.value("following = false, talk.answer.point(20)")
            page.wait("document.querySelectorAll('.token.on').length")
            shot(page, shots, label + "_live")
            page.key("Escape")
            page.wait(DONE)
            shot(page, shots, label)
            if handheld:
                page.click("#opener")
                shot(page, shots, label + "_panel")


# ---- what a real server shows ----


PROBLEM = "The angles of a triangle in degrees are $5x$, $7x$ and $2x+12$. How many degrees is the first?"
WRITERS = "talk.turns[1].answer.trace.map(t => t.model)"


def real(page, server, url, shots):
    """An answer adds up: spans, trace, text and account tell the same."""
    page.value("document.getElementById('most').value = 200")
    ask(page, PROBLEM)
    equal(page.value(LAST + ".querySelector('.trouble').innerText"), "")
    n = page.value(SPANS + ".length")
    assert n > 0 and page.value(SPANS + ".every(s => s.classList.contains('small') || s.classList.contains('large'))")
    told, counted = page.value("[talk.turns[1].answer.trace.length, talk.turns[1].answer.usage.completion_tokens]")
    assert counted - told in (0, 1), "%d of %d tokens were told" % (told, counted)  # the one that ends has no text
    equal(page.value(SPANS + ".map(s => s.textContent).join('') === talk.turns[1].answer.content"), True)
    large = page.value("talk.turns[1].answer.usage.ead.tokens.large")
    assert large - page.value(WRITERS).count("large") in (0, 1)
    assert "saved" in page.value(LAST + ".querySelector('.sums').innerText")
    for dark in (False, True):
        page.show(1280, 860, dark=dark, calm=True)
        shot(page, shots, "real_" + ("dark" if dark else "light"))


def real_controls(page, server, url, shots):
    """The sliders reach the models; at temperature 0 the same is said twice."""
    page.value("""for (const [id, value] of [['most', 40], ['at-temperature', 0], ['at-dwell', 1]]) {
        const e = document.getElementById(id); e.value = value; e.dispatchEvent(new Event('input')); }""")
    written = {}
    for tau in (-1, 99):
        page.value("controls.tau.node.querySelector('input[type=number]').value = %d;"
                   "controls.tau.node.querySelector('input[type=number]').dispatchEvent(new Event('input'))" % tau)
        ask(page, PROBLEM)
        written[tau] = page.value(WRITERS)
        content = page.value("talk.turns[1].answer.content")
        page.click(".again")
        page.wait("document.body.classList.contains('busy') || talk.turns[1].answer.finish")
        page.wait(DONE)
        equal(page.value("talk.turns[1].answer.content"), content)
        page.click("#fresh")
    assert written[-1].count("large") >= len(written[-1]) - 2 and set(written[99]) == {"small"}, written


def real_stop(page, server, url, shots):
    page.value("document.querySelector('#models input[value=large]').click()")
    ask(page, PROBLEM, wait=False)
    page.wait("document.querySelector('.token') || document.querySelector('.answer .trouble:not([hidden])')")
    page.key("Escape")
    page.wait(DONE)
    assert page.value("talk.turns[1].answer.finish") in ("stopped", "stop")
    ask(page, PROBLEM)  # and the server goes on
    assert page.value("talk.turns[3].answer.content") or page.value(LAST + ".querySelector('.trouble').innerText")


MADE_UP = [answer, line, cut, events, markup, struck, held, sliders, endless, alone, stop, regenerate, copy_and_export, busy,
           refused, broken, gone, key, keyboard, labels, schemes, reduced, phone, long_answer, scrolling, looks]
REAL = [real, real_controls, real_stop]
