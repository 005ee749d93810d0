package strictyaml

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

var variable = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// interpolate replaces ${NAME} by what env says. Its errors name variables, never their values.
func interpolate(s string, env func(string) (string, bool)) (string, error) {
	if env == nil {
		return s, nil
	}
	var b strings.Builder
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			b.WriteString(s)
			return b.String(), nil
		}
		if i > 0 && s[i-1] == '$' {
			b.WriteString(s[:i-1] + "${")
			s = s[i+2:]
			continue
		}
		b.WriteString(s[:i])
		match := variable.FindStringSubmatch(s[i:])
		if match == nil {
			return "", fmt.Errorf("expected a variable as ${NAME}; $${ stands for a literal ${")
		}
		value, ok := env(match[1])
		if !ok {
			return "", fmt.Errorf("environment variable %s is not set", match[1])
		}
		b.WriteString(value)
		s = s[i+len(match[0]):]
	}
}

// interpolated copies a node with its scalar values interpolated, for types that read nodes themselves; nil when that
// failed.
func (d *decoder) interpolated(p place) *yaml.Node {
	n := *p.value
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.fail(&n, "%sanchors and aliases are not supported: write the value out", p.label())
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		text, err := interpolate(n.Value, d.env)
		if err != nil {
			d.fail(&n, "%s%w", p.label(), err)
			return nil
		}
		n.Value = text
	}
	n.Content = make([]*yaml.Node, len(p.value.Content))
	for i, c := range p.value.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			n.Content[i] = c
		} else if n.Content[i] = d.interpolated(place{name: p.name, value: c}); n.Content[i] == nil {
			return nil
		}
	}
	return &n
}
