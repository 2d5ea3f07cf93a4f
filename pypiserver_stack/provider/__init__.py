"""The deployment as a component of a Pulumi package, for programs in any language."""
