package strictyaml

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// place is a value in the document, with the key that it stands under.
type place struct {
	name  string     // how messages call it; "" at the root
	key   *yaml.Node // nil for elements of lists and the root
	value *yaml.Node
}

// position is where a problem with the value is shown: at the value, or for a block of several lines at its key.
func (p place) position() *yaml.Node {
	if p.key != nil && (p.value.Kind != yaml.ScalarNode || isNull(p.value)) {
		return p.key
	}
	return p.value
}

func (p place) label() string {
	if p.name == "" {
		return ""
	}
	return p.name + ": "
}

// find follows a dotted path as far as the document goes. Keys may have dots themselves: the longest one that fits is
// taken.
func (p place) find(path string) place {
	for path != "" {
		next, rest := p.step(path)
		if next.value == nil {
			break
		}
		p, path = next, rest
	}
	return p
}

func (p place) step(path string) (next place, rest string) {
	switch p.value.Kind {
	case yaml.MappingNode:
		longest := -1
		for i := 0; i+1 < len(p.value.Content); i += 2 {
			key := p.value.Content[i]
			after, ok := strings.CutPrefix(path, key.Value)
			if ok && (after == "" || after[0] == '.') && len(key.Value) > longest {
				longest = len(key.Value)
				next, rest = place{name: key.Value, key: key, value: p.value.Content[i+1]}, strings.TrimPrefix(after, ".")
			}
		}
	case yaml.SequenceNode:
		number, after, _ := strings.Cut(path, ".")
		if i, err := strconv.Atoi(number); err == nil && i >= 0 && i < len(p.value.Content) {
			next, rest = place{name: number, value: p.value.Content[i]}, after
		}
	}
	return next, rest
}
