package lake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"crosslift/schemas/table"
)

// Recipe says how a partition was made: everything that decides its rows, and nothing else. It holds no run, no clock
// and no machine, so that it is equal wherever the same work is done. A partition is stale when its recipe is no
// longer the one that would be used now.
type Recipe struct {
	Job         string            `json:"job"`
	Logic       int               `json:"logic"`                // raised when the job's code gives other rows
	Tables      map[string]int    `json:"tables"`               // every table the job writes, with its version
	Definitions map[string]string `json:"defined_by,omitempty"` // of what decides the rows, by name, such as metric revenue: its hash
	Window      string            `json:"window"`               // half-open, with offsets
	Zone        string            `json:"zone"`                 // the business's time zone
	Key         string            `json:"key,omitempty"`        // of identifiers: which key and normaliser hashed them
	Files       map[string]string `json:"files,omitempty"`      // what a source was read from: name → SHA-256
	Inputs      map[string]string `json:"inputs,omitempty"`     // partitions read: key → content hash
	// Previous is the same state of the night before. It is recorded, and neither compared nor hashed: the past is not
	// rebuilt when it is found to be stale.
	Previous map[string]string `json:"previous,omitempty"`
}

// Hash identifies the recipe; Previous does not enter.
func (r Recipe) Hash() string {
	r.Previous = nil
	b, err := json.Marshal(r) // maps are written in the order of their keys
	if err != nil {
		panic(err) // strings, integers and maps of them
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Difference names the first thing in which a recipe differs from the one that would be used now.
func (r Recipe) Difference(now Recipe) string {
	switch {
	case r.Job != now.Job:
		return fmt.Sprintf("made by %s", r.Job)
	case r.Logic != now.Logic:
		return fmt.Sprintf("logic %d, now %d", r.Logic, now.Logic)
	case r.Window != now.Window || r.Zone != now.Zone:
		return "the business day's window changed"
	case r.Key != now.Key:
		return "the identifier key changed"
	}
	if d := difference(r.Definitions, now.Definitions, "%s is new", "%s changed", "%s is gone"); d != "" {
		return d
	}
	for name, version := range now.Tables {
		if r.Tables[name] != version {
			return fmt.Sprintf("%s version %d, now %d", name, r.Tables[name], version)
		}
	}
	if d := difference(r.Files, now.Files, "new: %s", "changed: %s", "gone: %s"); d != "" {
		return d
	}
	return difference(r.Inputs, now.Inputs, "new: %s", "changed: %s", "gone: %s")
}

// difference says the first thing in which two maps differ, in the words for one that is new, changed or gone.
func difference(old, now map[string]string, added, changed, gone string) string {
	for _, name := range sortedKeys(now) {
		switch was, ok := old[name]; {
		case !ok:
			return fmt.Sprintf(added, short(name))
		case was != now[name]:
			return fmt.Sprintf(changed, short(name))
		}
	}
	for _, name := range sortedKeys(old) {
		if _, ok := now[name]; !ok {
			return fmt.Sprintf(gone, short(name))
		}
	}
	return ""
}

// short names a partition by its folder and leaves file names alone.
func short(name string) string {
	if p, ok := ParseKey(name); ok {
		return p.String()
	}
	return name
}

// Counts are the rows of a job's work, kept in the footer and the ledger.
type Counts struct {
	Read        int64  `json:"read"`
	Written     int64  `json:"written"`
	Quarantined int64  `json:"quarantined"`
	Said        []Said `json:"said,omitempty"` // of extracts
}

// Said is what a source itself says it has of a day, and what landed.
type Said struct {
	Source   string `json:"source"`             // the streams
	Measure  string `json:"measure"`            // rows, or the column that is summed
	Currency string `json:"currency,omitempty"` // of a sum of money
	Value    int64  `json:"value"`
	Landed   int64  `json:"landed"` // the same of the rows that were read
}

// Head is what a committed partition says of itself.
type Head struct {
	Partition
	ETag    string
	Size    int64
	Rows    int64
	Content string // SHA-256 over the rows in order, in the canonical encoding
	Recipe  Recipe
	Counts  Counts
	Sums    map[string]string // control sums: the sum of each integer column, and of money by currency
}

// The footer's key-value metadata.
const (
	metaContent = "crosslift.content"
	metaRecipe  = "crosslift.recipe"
	metaCounts  = "crosslift.counts"
	metaSums    = "crosslift.sums"
)

func footer(content string, recipe Recipe, counts Counts, sums map[string]string) map[string]string {
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err) // as in Hash
		}
		return string(b)
	}
	return map[string]string{metaContent: content, metaRecipe: text(recipe), metaCounts: text(counts), metaSums: text(sums)}
}

func (h *Head) read(meta func(string) (string, bool)) error {
	content, ok := meta(metaContent)
	if !ok {
		return fmt.Errorf("lake: %s: not written by Crosslift: its footer has no %s", h.Key(), metaContent)
	}
	h.Content = content
	for key, into := range map[string]any{metaRecipe: &h.Recipe, metaCounts: &h.Counts, metaSums: &h.Sums} {
		text, _ := meta(key)
		if err := json.Unmarshal([]byte(text), into); err != nil {
			return fmt.Errorf("lake: %s: footer: %s: %w", h.Key(), key, err)
		}
	}
	return nil
}

// Tables gives a job's tables for its recipe.
func Tables(tables ...*table.Table) map[string]int {
	versions := map[string]int{}
	for _, t := range tables {
		versions[t.Path()] = t.Version
	}
	return versions
}
