package stitch

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"crosslift/jobs/sheet"
	"crosslift/warehouse/columns"
)

// edges are a file's edges in memory, in no order of note.
type edges struct {
	typed   bool
	form    form
	column  sheet.Column
	readers []*reader

	a, b  []uint32
	class []uint8
	first []int64
	typeA []uint8 // as the row says
	typeB []uint8
}

// reader is what one goroutine has read.
type reader struct {
	left, right  keyList
	typeA, typeB []uint8
	class        []uint8
	first        []int64
	codes        []uint8 // of a batch's dictionary of types
}

// errForm is a node that is not of the form of the first ones.
var errForm = errors.New("a node of another form")

var errEmpty = errors.New("empty: expected an identifier")

// open opens the file of edges.
func open(ctx context.Context, o Options) (s *sheet.Sheet, profiles bool, err error) {
	optional := typed
	if o.Plain {
		optional = nil
	}
	if s, err = sheet.Open(ctx, o.Edges, ends, optional); err != nil {
		return nil, false, err
	}
	profiles, err = choose(s, o)
	if err == nil && s.Columns[0].Kind != s.Columns[1].Kind {
		err = fmt.Errorf("%s: the columns left and right hold values of different types", o.Edges)
	}
	if err == nil && s.Columns[0].Kind == sheet.Time {
		err = fmt.Errorf("%s: the columns left and right hold times: expected identifiers", o.Edges)
	}
	if err != nil {
		return nil, false, errors.Join(&sheet.ContentError{Err: err}, s.Close())
	}
	return s, profiles, nil
}

// read reads the file, its nodes as written in a form. It is errForm when they are not.
func read(ctx context.Context, o Options, as form) (_ *edges, err error) {
	s, profiles, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	e := &edges{typed: profiles, form: as, column: s.Columns[0], readers: make([]*reader, o.Workers)}
	known := make(chan form, 1)
	known <- as
	for w := range e.readers {
		e.readers[w] = &reader{}
	}
	var columns typedColumns
	if profiles {
		columns = columnsOf(s, o.Rules)
	}
	err = s.Read(ctx, o.Workers, func(w int, b *sheet.Batch) error {
		f := <-known
		if f == guess && b.Rows > 0 {
			f = formOf(s.Columns[0], b.Vectors[0].Strings)
		}
		known <- f
		r := e.readers[w]
		var other error
		if profiles {
			other = r.addTyped(b, columns)
		}
		return sheet.First(r.left.add(b, &b.Vectors[0], f, s.Columns[0]), r.right.add(b, &b.Vectors[1], f, s.Columns[1]), other)
	})
	if e.form = <-known; e.form == guess {
		e.form = text // of nothing
	}
	return e, err
}

// add takes the nodes of a batch.
func (l *keyList) add(b *sheet.Batch, v *columns.Vector, f form, c sheet.Column) error {
	switch {
	case f == integer || f == unsigned:
		for i, x := range v.Ints {
			if v.Present != nil && !v.Present[i] {
				return b.Error(i, fmt.Errorf("%s: %w", c.Name, errEmpty))
			}
			l.ids.Add(f.ofInt(x))
		}
		return nil
	case c.Kind == sheet.ID:
		for i, at := range v.Index {
			if at < 0 {
				return b.Error(i, fmt.Errorf("%s: %w", c.Name, errEmpty))
			}
			l.ids.Add(v.IDs[at])
		}
		return nil
	}
	for i, at := range v.Index {
		if at < 0 || v.Strings[at] == "" {
			return b.Error(i, fmt.Errorf("%s: %w", c.Name, errEmpty))
		}
		if f == text {
			l.texts.Add(v.Strings[at])
			continue
		}
		id, ok := f.parse(v.Strings[at])
		if !ok {
			return errForm
		}
		l.ids.Add(id)
	}
	return nil
}

// gather puts together what the readers have, numbered.
func (e *edges) gather(workers int) {
	n := 0
	for _, r := range e.readers {
		n += max(r.left.ids.Len(), r.left.texts.Len())
	}
	e.a, e.b = make([]uint32, n), make([]uint32, n)
	if e.typed {
		e.class, e.first, e.typeA, e.typeB = make([]uint8, n), make([]int64, n), make([]uint8, n), make([]uint8, n)
	}
	var g errgroup.Group
	g.SetLimit(workers)
	from := 0
	for _, r := range e.readers {
		at, to := from, from+max(r.left.ids.Len(), r.left.texts.Len())
		g.Go(func() error {
			r.left.numbers(e.a[at:to:to])
			r.right.numbers(e.b[at:to:to])
			if e.typed {
				copy(e.class[at:to], r.class)
				copy(e.first[at:to], r.first)
				copy(e.typeA[at:to], r.typeA)
				copy(e.typeB[at:to], r.typeB)
			}
			*r = reader{}
			return nil
		})
		from = to
	}
	_ = g.Wait() // nothing in it fails
	e.readers = nil
}

func (l *keyList) numbers(to []uint32) {
	if l.texts.Len() > 0 {
		l.texts.AppendNumbers(to[:0])
		return
	}
	l.ids.AppendNumbers(to[:0])
}
