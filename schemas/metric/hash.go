package metric

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// logic is raised when the same definition comes to mean other numbers.
const logic = 2

// Hash identifies what decides the metric's facts, however it is written: all of a valid definition but its description, and
// its unit and direction, which say how the numbers are read.
func (m *Metric) Hash() string {
	var denominator []any
	if m.Denominator != nil {
		denominator = m.Denominator.canonical()
	}
	content, err := json.Marshal([]any{
		"metric", logic, m.Name, m.Type, m.Source.canonical(), denominator, m.Quantile, m.Currency,
		m.Window, m.Delay, m.LookBack, m.Days, m.PostingLag, m.Winsorise.canonical(), m.Covariate,
	})
	if err != nil {
		panic(err) // strings and finite numbers only
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func (s *Source) canonical() []any {
	value := s.Value.String()
	if value == "" {
		value = Value{Constant: 1, Given: true}.String()
	}
	return []any{s.Table, CanonicalFilter(s.Filter), value}
}

func (w *Winsorise) canonical() []any {
	if w == nil {
		return nil
	}
	text := func(b *Bound) string {
		if b == nil {
			return ""
		}
		return b.String()
	}
	return []any{text(w.Low), text(w.High), w.IgnoreZeros}
}

// CanonicalFilter writes filters that all hold, and that CheckEvents has passed, so that those that mean the same for a simple
// reason are the same: order and repetition, lists of one, and lists within lists of their kind make no difference.
func CanonicalFilter(filters []Filter) string {
	if len(filters) == 0 {
		return ""
	}
	return (&Filter{All: filters}).canonical()
}

func (f *Filter) canonical() string {
	var parts []string
	kind := "all"
	switch {
	case f.All != nil:
		parts = members(f.All, func(inner *Filter) []Filter { return inner.All })
	case f.Any != nil:
		kind, parts = "any", members(f.Any, func(inner *Filter) []Filter { return inner.Any })
	case f.Not != nil && f.Not.Not != nil:
		return f.Not.Not.canonical()
	case f.Not != nil:
		kind, parts = "not", []string{f.Not.canonical()}
	default:
		operands := slices.Clone(f.Value)
		op := f.Op
		if op == Equal {
			op = In
		}
		if op == In {
			slices.Sort(operands)
			operands = slices.Compact(operands)
		}
		return encoded("column", f.Column, op, operands)
	}
	if len(parts) == 1 && kind != "not" {
		return parts[0]
	}
	return encoded(kind, parts)
}

// members are the canonical forms of a list of filters, each once and in order; lists of the same kind within it are opened.
func members(list []Filter, same func(*Filter) []Filter) []string {
	var parts []string
	for i := range list {
		if inner := same(&list[i]); inner != nil {
			parts = append(parts, members(inner, same)...)
		} else {
			parts = append(parts, list[i].canonical())
		}
	}
	slices.Sort(parts)
	return slices.Compact(parts)
}

func encoded(parts ...any) string {
	content, err := json.Marshal(parts)
	if err != nil {
		panic(err) // strings only
	}
	return string(content)
}
