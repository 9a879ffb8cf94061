"""scenefer: which facial expressions a film shows, scene by scene, and how far that is from the intention."""

__version__ = "0.1.0"
