// Package verify holds what the pipeline has made of a sandbox's world against the truth of that world.
package verify

import (
	"context"
	"fmt"
	"iter"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
)

// Check is one comparison, and what came of it.
type Check struct {
	Stage string  `json:"stage"`
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Op    string  `json:"op"` // how the value stands to the limit when all is well: <=, >= or ==
	Limit float64 `json:"limit"`
	N     int64   `json:"n"` // of how many things the value is; nothing is ok on none
	OK    bool    `json:"ok"`
}

// newCheck compares a value with its limit.
func newCheck(stage, name string, value float64, op string, limit float64, n int64) Check {
	c := Check{Stage: stage, Name: name, Value: value, Op: op, Limit: limit, N: n}
	switch op {
	case "<=":
		c.OK = value <= limit
	case ">=":
		c.OK = value >= limit
	case "==":
		c.OK = value == limit
	}
	c.OK = c.OK && n > 0
	return c
}

// Input is what is compared.
type Input struct {
	World    *world.World
	Lake     *lake.Lake
	Zone     *time.Location // the business's
	Key      identifier.Key
	Stripe   string    // the account at Stripe whose cards the truth's are
	At       time.Time // what the sources showed at the last run
	From, To table.Day // the nights that were run
	History  time.Time // when the first of them was read for the first time: it may have been long after it
	Written  []string  // folders and files with every byte that the pipeline has written
}

// Stages are the parts of the pipeline that can be compared so far, in their order.
var Stages = []string{"extract", "identity", "facts"}

// Stage compares one of Stages.
func Stage(ctx context.Context, name string, in Input) ([]Check, error) {
	switch name {
	case "extract":
		return in.extract(ctx)
	case "identity":
		return in.identity(ctx)
	case "facts":
		return in.facts(ctx)
	}
	return nil, fmt.Errorf("no stage is named %q", name)
}

// rows reads all partitions of a table.
func (in Input) rows(ctx context.Context, t *table.Table) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		heads, err := in.Lake.Heads(ctx, t, "")
		if err != nil {
			yield(nil, err)
			return
		}
		for _, h := range heads {
			for row, err := range in.read(ctx, t, h) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

// read reads one partition.
func (in Input) read(ctx context.Context, t *table.Table, h *lake.Head) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		r, err := in.Lake.Read(ctx, h)
		if err != nil {
			yield(nil, err)
			return
		}
		for row, err := range r.Each(ctx, t) {
			if !yield(row, err) || err != nil {
				r.Close()
				return
			}
		}
		if err := r.Close(); err != nil {
			yield(nil, err)
		}
	}
}
