package moment

// Size is how many links are held.
func (l *Links) Size() int { return len(l.links) }
