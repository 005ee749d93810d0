package crm

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"crosslift/connectors"
)

// changes reads what search knows of the day.
func (x *extract) changes(ctx context.Context) error {
	for first := x.at.Pages == 0; x.at.From < x.at.Until; first = false {
		more, err := true, error(nil)
		if x.at.Phase == byID {
			more, err = x.sameTime(ctx)
		} else {
			more, err = x.nextChanges(ctx, first)
		}
		if err != nil {
			return fmt.Errorf("page %d: %w", x.at.Pages+1, err)
		}
		if !more {
			return nil
		}
		if err := x.finished(); err != nil {
			return err
		}
	}
	return nil
}

// nextChanges reads a page of changes from x.at.From on.
func (x *extract) nextChanges(ctx context.Context, first bool) (more bool, err error) {
	if err := x.ask(ctx); err != nil {
		return false, err
	}
	if first {
		x.at.Before = x.page.total
	}
	n := len(x.page.objects)
	if n == 0 {
		return false, nil
	}
	last := x.page.objects[n-1]
	switch {
	case x.page.more && !last.dated:
		return false, fmt.Errorf("%w: none of its objects says when it was modified", connectors.ErrContract)
	case x.page.more && last.changed == x.at.From: // the page holds nothing but one millisecond
		x.at.Phase, x.at.After, x.expect = byID, "", -1
		return true, nil
	}
	expect := x.page.total
	var given []string // of those that the next page may hold once more
	for _, o := range x.page.objects {
		switch {
		case !o.dated:
			expect = -1 << 32
			given = append(given, o.name())
		case o.changed == last.changed:
			given = append(given, o.name())
		default:
			expect--
		}
	}
	if err := x.give(ctx); err != nil {
		return false, err
	}
	x.at.From, x.at.Given, x.expect = max(last.changed, x.at.From), given, max(expect, -1)
	return x.page.more, nil
}

// sameTime reads a page of the objects that were modified at x.at.From, behind an id.
func (x *extract) sameTime(ctx context.Context) (more bool, err error) {
	all := []filter{{x.stream.modified, "EQ", text(x.at.From)}}
	if x.at.After != "" {
		all = append(all, filter{"hs_object_id", "GT", x.at.After})
	}
	if err := x.search(ctx, maxSearch, "hs_object_id", all...); err != nil {
		return false, err
	}
	slices.SortStableFunc(x.page.objects, func(a, b object) int { return compare(a.id, b.id) })
	last := ""
	for _, o := range x.page.objects {
		if o.id != "" && x.at.After != "" && !less(x.at.After, o.id) {
			return false, fmt.Errorf("%w: it gives ids at or before the one asked for", connectors.ErrContract)
		}
		last = o.id
	}
	switch {
	case !x.page.more:
		last = ""
	case last == "":
		return false, fmt.Errorf("%w: none of its objects has an id", connectors.ErrContract)
	}
	if err := x.give(ctx); err != nil {
		return false, err
	}
	if last != "" {
		x.at.After = last
		return true, nil
	}
	x.at.Phase, x.at.After, x.at.Given, x.at.From = byTime, "", nil, x.at.From+1
	return true, nil
}

// ask searches from x.at.From on and makes sure of the answer: objects from before, or another total than the last page
// makes us expect, mean that it belongs to another page or that something changed meanwhile. What is said twice is so.
func (x *extract) ask(ctx context.Context) error {
	const tries = 6
	last := int64(-1)
	for range tries {
		if err := x.search(ctx, maxSearch, x.stream.modified, x.modifiedSince(x.at.From)...); err != nil {
			return err
		}
		slices.SortStableFunc(x.page.objects, func(a, b object) int {
			return cmp.Or(cmp.Compare(a.changed, b.changed), compare(a.id, b.id))
		})
		early := slices.ContainsFunc(x.page.objects, func(o object) bool { return o.dated && o.changed < x.at.From })
		if !early && (x.expect < 0 || x.page.total == x.expect || x.page.total == last) {
			return nil
		}
		last = x.page.total
	}
	return fmt.Errorf("%w: it goes on giving another page than the one asked for", connectors.ErrContract)
}

func compare(a, b string) int {
	switch {
	case less(a, b):
		return -1
	case less(b, a):
		return 1
	}
	return 0
}
