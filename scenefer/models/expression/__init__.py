"""Networks that classify facial expressions, and Grad-CAM to show where they looked."""
