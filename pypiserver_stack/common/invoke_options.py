"""Options of the look-ups that run before the component exists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi


def invoke_options(opts: pulumi.ResourceOptions | None) -> pulumi.InvokeOptions:
    """For a component that does not exist yet, whose children's parent cannot say which provider is theirs."""
    if opts is None:
        return pulumi.InvokeOptions()
    providers: Any = opts.providers or ()
    if isinstance(providers, Mapping):
        providers = providers.values()
    elif isinstance(providers, pulumi.ProviderResource):
        providers = (providers,)
    ours = (provider for provider in (opts.provider, *providers) if provider is not None and provider.package == "aws")
    return pulumi.InvokeOptions(parent=opts.parent, provider=next(ours, None))
