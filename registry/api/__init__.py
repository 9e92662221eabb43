"""The HTTP edge: one router per noun, and what all of them share. It holds no rule about schemas."""
