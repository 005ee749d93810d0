package world

import (
	"encoding/json"
	"time"
)

// Record is a line of a stream's file: a version of an object of a source, in the source's wire format.
//
// Visible is never before At, nor Gone before Visible.
type Record struct {
	ID      string          `json:"id"`             // the source's primary key; versions share it
	At      time.Time       `json:"at"`             // when it happened, or changed
	Visible time.Time       `json:"visible"`        // from when on the source shows it
	Gone    *time.Time      `json:"gone,omitempty"` // from when on it is no longer shown
	Object  json.RawMessage `json:"object"`
}

// Writer takes the records of a world while it is generated. Several builders may write at the same time. A record's
// object is not kept after Write returns.
type Writer interface {
	// Write adds a version of an object to a source's stream.
	Write(source, stream string, r Record) error
}

// Builder puts a chunk into the wire formats of one source. It gets the chunks one after the other, and must not change
// them: others read them at the same time.
type Builder interface {
	Build(c *Chunk, to Writer) error
}

// Reader gives what a source shows at an instant. What it gives is shared, and must not be changed.
type Reader interface {
	// Current gives, of each id of a stream, the newest version that is visible and not gone, ascending by id.
	Current(source, stream string, at time.Time) ([]Record, error)
	// Versions gives every version that is visible, ascending by At, then id: the history of a stream.
	Versions(source, stream string, at time.Time) ([]Record, error)
	// Night gives the lines of one file, whether visible yet or not: for streams too large to be held as a whole.
	Night(source, stream, night string) ([]Record, error)
	// Nights lists the nights that a stream has files for, ascending.
	Nights(source, stream string) ([]string, error)
}
