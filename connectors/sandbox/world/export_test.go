package world

import "context"

// HoldAtMost sets how many bytes of a stream's objects a world holds in memory.
func HoldAtMost(w *World, bytes int64) { w.inMemory = bytes }

// CreateWithin is Create with so many bytes of records held in memory.
func CreateWithin(dir string, o Options, builders []Builder, bytes int) error {
	_, err := create(context.Background(), dir, o, builders, bytes)
	return err
}

// The readers and writers of lines and objects, to be fuzzed.
var (
	ParseLine  = parseLine
	AppendLine = appendLine
	Without    = without
	With       = with
)
