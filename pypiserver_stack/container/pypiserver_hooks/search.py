"""The answer for `/RPC2`, the search of older pips: as pypiserver's, off the event loop; other calls are a 400."""

from __future__ import annotations

import xmlrpc.client
from typing import Any

import defusedxml.minidom
from pypiserver.backend import IBackend
from pypiserver.bottle_wrapper import Bottle, HTTPError, request

from pypiserver_stack.container.base.offload import offload


def add_search(app: Bottle, backend: IBackend) -> Bottle:
    """`app` with this answer in place of pypiserver's."""

    def search() -> str:
        text = offload(_searched_text, request.body.read())
        if text is None:
            raise HTTPError(400, "No call of `search` with a text to search for.")
        answer: str = offload(_found, backend.get_all_packages(), text)
        return answer

    app.route("/RPC2", "POST", search)
    return app


def _searched_text(call: bytes) -> str | None:
    """The first text in a call of `search`; None for anything else."""
    try:
        document = defusedxml.minidom.parseString(call)
        method, text = (_text(document, tag) for tag in ("methodName", "string"))
    except Exception:  # what the parsers raise for hostile XML is not a list that anyone keeps
        return None
    return text if method == "search" else None


def _text(document: Any, tag: str) -> str:
    text: str = document.getElementsByTagName(tag)[0].childNodes[0].wholeText
    return text.strip()


def _found(packages: Any, text: str) -> str:
    found = [
        {"_pypi_ordering": number, "version": package.version, "name": package.pkgname, "summary": package.version}
        for number, package in enumerate(packages)
        if text in package.pkgname
    ]
    return xmlrpc.client.dumps((found,), "search", methodresponse=True)
