package jobs

import (
	"fmt"
	"strings"
)

// Sort puts jobs in an order in which each comes after those that feed it, and keeps their order otherwise. Two jobs
// that write the same table, and circles, are errors.
func Sort(all []*Job) ([]*Job, error) {
	writer := map[string]string{}
	for _, j := range all {
		for _, t := range j.Writes {
			key := t.Path() + " " + j.Experiment
			if other, taken := writer[key]; taken {
				return nil, fmt.Errorf("jobs: %s and %s both write %s", other, j.Name, t)
			}
			writer[key] = j.Name
		}
	}
	var sorted []*Job
	const entered, done = 1, 2
	state := map[*Job]int{}
	var path []string
	var visit func(j *Job) error
	visit = func(j *Job) error {
		path = append(path, j.Name)
		defer func() { path = path[:len(path)-1] }()
		switch state[j] {
		case done:
			return nil
		case entered:
			return fmt.Errorf("jobs: a circle: %s", strings.Join(path, " reads "))
		}
		state[j] = entered
		for _, before := range all {
			if before.FeedsInto(j) {
				if err := visit(before); err != nil {
					return err
				}
			}
		}
		state[j] = done
		sorted = append(sorted, j)
		return nil
	}
	for _, j := range all {
		if err := visit(j); err != nil {
			return nil, err
		}
	}
	return sorted, nil
}
