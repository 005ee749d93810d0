package hubspot

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// inputs are the ids of a batch.
type inputs struct {
	Inputs []struct {
		ID string `json:"id"`
	} `json:"inputs"`
	Properties []string `json:"properties"`
}

// batch answers the objects of up to 100 ids, those that there are.
func (h *handler) batch(w http.ResponseWriter, r *http.Request, stream string) {
	var asked inputs
	if !h.body(w, r, &asked) {
		return
	}
	if len(asked.Inputs) > 100 {
		h.fail(w, http.StatusBadRequest, "VALIDATION_ERROR", "at most 100 inputs are allowed")
		return
	}
	shelf, ok := h.shelf(w, stream)
	if !ok {
		return
	}
	results := []map[string]any{}
	for _, in := range asked.Inputs {
		if o := shelf.byID[in.ID]; o != nil && !o.archived {
			results = append(results, shelf.shown(o, stream, asked.Properties, false))
		}
	}
	h.batchAnswer(w, results, len(asked.Inputs)-len(results))
}

// link is a deal with its contacts.
type link struct {
	From struct {
		ID string `json:"id"`
	} `json:"from"`
	To []linked `json:"to"`
}

type linked struct {
	ID    json.RawMessage `json:"toObjectId"`
	Types []linkType      `json:"associationTypes"`
}

type linkType struct {
	Category string  `json:"category"`
	TypeID   int     `json:"typeId"`
	Label    *string `json:"label"`
}

func (h *handler) associated(w http.ResponseWriter, r *http.Request) {
	var asked inputs
	if !h.body(w, r, &asked) {
		return
	}
	if len(asked.Inputs) > 1000 {
		h.fail(w, http.StatusBadRequest, "VALIDATION_ERROR", "at most 1000 inputs are allowed")
		return
	}
	shelf, ok := h.shelf(w, Deals)
	if !ok {
		return
	}
	results := []link{}
	for _, in := range asked.Inputs {
		o := shelf.byID[in.ID]
		var related map[string]related
		if o == nil || json.Unmarshal(o.members["associations"], &related) != nil || len(related[Contacts].Results) == 0 {
			continue
		}
		found := link{}
		found.From.ID = in.ID
		for _, to := range related[Contacts].Results {
			id, _ := json.Marshal(to.ID)
			if _, err := strconv.ParseInt(to.ID, 10, 64); err == nil {
				id = json.RawMessage(to.ID)
			}
			found.To = append(found.To, linked{ID: id, Types: []linkType{{Category: "HUBSPOT_DEFINED", TypeID: 3}}})
		}
		results = append(results, found)
	}
	h.batchAnswer(w, results, len(asked.Inputs)-len(results))
}

// batchAnswer is 207 when something of what was asked for is not there.
func (h *handler) batchAnswer(w http.ResponseWriter, results any, missing int) {
	now := moment(h.options.Now())
	answer := map[string]any{"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
	if missing == 0 {
		h.answer(w, http.StatusOK, answer)
		return
	}
	answer["numErrors"] = missing
	answer["errors"] = []map[string]any{{
		"status": "error", "category": "OBJECT_NOT_FOUND", "message": "some of the inputs were not found",
	}}
	h.answer(w, http.StatusMultiStatus, answer)
}
