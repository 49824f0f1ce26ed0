"""WebRTC: the peer, its tracks, and the one clock that they share."""
