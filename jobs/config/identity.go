package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"crosslift/schemas/strictyaml"
	"crosslift/transform/identity/graph"
)

// Identity says how identifiers are stitched into profiles, where the defaults are not what a project wants.
type Identity struct {
	MaxSize    *int           `yaml:"max_size"`
	Caps       map[string]int `yaml:"caps"`
	Limits     map[string]int `yaml:"limits"`
	MustLink   []Decision     `yaml:"must_link"`
	CannotLink []Decision     `yaml:"cannot_link"`
}

// Decision is what people have decided about two identifiers. Each is named as kind:value, or as the lake shows it.
type Decision struct {
	Left  string `yaml:"left"`
	Right string `yaml:"right"`
	Why   string `yaml:"why"` // for whoever reads the file
}

// Validate checks that types and both ends are named.
func (i *Identity) Validate() error {
	var errs []error
	known := graph.DefaultRules()
	var names []string
	for _, t := range known.Types {
		names = append(names, t.Name)
	}
	if i.MaxSize != nil && *i.MaxSize < 2 {
		errs = append(errs, strictyaml.At("max_size", errors.New("expected at least 2 identifiers")))
	}
	for field, of := range map[string]map[string]int{"caps": i.Caps, "limits": i.Limits} {
		for name, n := range of {
			switch {
			case !slices.Contains(names, name):
				errs = append(errs, strictyaml.At(field, strictyaml.At(name, fmt.Errorf("no type of identifier: %s", strictyaml.Suggest(name, names)))))
			case n < 0:
				errs = append(errs, strictyaml.At(field, strictyaml.At(name, errors.New("expected 0, which is none, or more"))))
			}
		}
	}
	for field, of := range map[string][]Decision{"must_link": i.MustLink, "cannot_link": i.CannotLink} {
		for n, d := range of {
			if d.Left == "" || d.Right == "" || d.Left == d.Right {
				errs = append(errs, strictyaml.At(field+"."+strconv.Itoa(n), errors.New("expected two identifiers, left and right")))
			}
		}
	}
	return errors.Join(errs...)
}

// Rules are the default ones with what the project changes.
func (i *Identity) Rules() graph.Rules {
	r := graph.DefaultRules()
	if i.MaxSize != nil {
		r.MaxSize = *i.MaxSize
	}
	for at := range r.Types {
		t := &r.Types[at]
		if n, set := i.Caps[t.Name]; set {
			t.Cap = n
		}
		if n, set := i.Limits[t.Name]; set {
			t.Limit = n
		}
	}
	return r
}
