#!/bin/sh
# Build the Pulumi CLI and language hosts for Python and YAML from Go modules: build.sh DESTINATION
#
# For machines that reach a Go module proxy and have no `pulumi`. The language hosts are the last ones that are part of
# public modules, years older than the CLI: good enough for tests, not for a user's `pulumi up`.
set -eu
mkdir -p "$1"
destination=$(cd "$1" && pwd)
cd "$(dirname "$0")"

stamp=$(cat build.sh cli/go.mod cli/go.sum language_host/go.mod language_host/go.sum \
    yaml_host/go.mod yaml_host/go.sum | cksum)
if [ "$(cat "$destination/.stamp" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi
present=$(command -v pulumi || true)
if [ -n "$present" ] && [ "$present" != "$destination/pulumi" ]; then
    echo "pulumi is there already: $present"
    exit 0
fi
if ! command -v go >/dev/null; then
    echo "Go 1.26 or newer is needed to build pulumi, and there is no \`go\` on PATH" >&2
    exit 1
fi

version_of() { # MODULE FOLDER
    (cd "$2" && go list -m -f '{{.Version}}' "$1")
}

build() { # FOLDER PACKAGE VERSION
    (cd "$1" && CGO_ENABLED=0 go build -o "$destination" \
        -ldflags "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$3" "$2")
}

rm -f "$destination/.stamp"
sdk=github.com/pulumi/pulumi/sdk/v3
build cli github.com/pulumi/pulumi/pkg/v3/cmd/pulumi "$(version_of github.com/pulumi/pulumi/pkg/v3 cli)"
build language_host "$sdk/python/cmd/pulumi-language-python" "$(version_of "$sdk" language_host)"
install -m 755 \
    "$(cd language_host && go list -m -f '{{.Dir}}' "$sdk")/python/cmd/pulumi-language-python-exec" "$destination"
yaml=github.com/pulumi/pulumi-yaml
build yaml_host "$yaml/cmd/pulumi-language-yaml" "$(version_of "$yaml" yaml_host)"
echo "$stamp" >"$destination/.stamp"
