"""What programs that talk to a Presencia server import; `presencia.client` is all there is.

The server itself is the package `avatar`: docs/decisions/2026-11-28-one-more-package.md says why.
"""
