"""The server that runs in a task, inside the image: it imports only itself and what the image carries.

`entry` starts and answers, `pypiserver_hooks` is what pypiserver is given, `files` and `index` keep and list packages,
`access` checks credentials, `http` and `base` are what all of them stand on.
"""
