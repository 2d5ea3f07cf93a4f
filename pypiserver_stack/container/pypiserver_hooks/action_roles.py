"""The role that the action of a form needs, checked where pypiserver has read the form and knows the action."""

from __future__ import annotations

from pypiserver.bottle_wrapper import Bottle, HTTPResponse, request

from pypiserver_stack.container.access.roles import Role, missing_right

_ADMINS = ("remove_pkg", "yank", "unyank")


def add_action_roles(app: Bottle) -> Bottle:
    """`app`, which asks for the role before it does the action."""
    update = [route.callback for route in app.routes if (route.rule, route.method) == ("/", "POST")][-1]

    def checked() -> str:
        # Read as the actions themselves are: whatever the spelling of the form, this is the one that would be done.
        needed = Role.ADMIN if request.forms.get(":action") in _ADMINS else Role.UPLOAD
        if (refusal := missing_right(request.environ, needed)) is not None:
            raise HTTPResponse(f"{refusal}\n", 403, {"Content-Type": "text/plain; charset=utf-8"})
        answer: str = update()
        return answer

    app.route("/", "POST", checked)
    return app
