"""The Python that has what tools/setup_clients gets: build/clients/venv, or the one that EAD_CLIENTS_PYTHON names."""

import os
import shutil
import sys


def enter(source):
    """Run this script again under that Python, where there is one."""
    python = os.environ.get("EAD_CLIENTS_PYTHON") or os.path.join(
        source, "build", "clients", "venv", "bin", "python")
    if "EAD_CLIENTS_CHOSEN" in os.environ or not os.access(python, os.X_OK):
        return
    os.environ["EAD_CLIENTS_CHOSEN"] = python
    os.execv(python, [python, *sys.argv])


def no_browser():
    """Why no page can be shown; None where it can."""
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        return "no chromium"
    try:
        import websocket
        websocket.create_connection
    except (ImportError, AttributeError):
        return "no websocket-client for this Python"
    return None
