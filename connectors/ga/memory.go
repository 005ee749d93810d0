package ga

import "errors"

// memory keeps what was worked out for texts that come again and again, as far as they are short: at most most of them,
// then it starts anew.
type memory[V any] struct {
	most int
	kept map[string]V
}

const (
	longest  = 256
	manyKept = 1 << 14
	fewKept  = 1 << 12
)

func newMemory[V any](most int) memory[V] { return memory[V]{most, map[string]V{}} }

// get gives the value of a text, made where it is not known.
func (m *memory[V]) get(text []byte, make func(string) V) V {
	if v, known := m.kept[string(text)]; known {
		return v
	}
	v := make(string(text))
	if len(text) <= longest {
		if len(m.kept) >= m.most {
			clear(m.kept)
		}
		m.kept[string(text)] = v
	}
	return v
}

// rejection is why a row cannot be taken: what was expected, never a value.
type rejection struct{ error }

func reject(reason string) error { return rejection{errors.New(reason)} }
