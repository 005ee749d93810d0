package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// project is what can be checked across files.
type project struct {
	streams      *Files
	sources      Sources
	streamsKnown bool
	metrics      []definition[metric.Metric]
	experiments  []definition[experiment.Experiment]
}

func (p project) check() error {
	var errs []error
	firsts := map[string]string{}
	for _, e := range p.experiments {
		errs = append(errs, unique(e, e.value.Name, "experiment", firsts))
	}
	firsts = map[string]string{}
	for _, m := range p.metrics {
		errs = append(errs, unique(m, m.value.Name, "metric", firsts))
		if e := p.user(m.value); e != nil {
			errs = append(errs, m.doc.Locate(p.checkMetric(m.value, e)))
		}
	}
	for _, e := range p.experiments {
		if e.doc != nil {
			errs = append(errs, e.doc.Locate(p.checkExperiment(e.value)))
		}
	}
	return errors.Join(errs...)
}

// user is, of the experiments that compute a metric, the one that starts last; nil where none does.
func (p project) user(m *metric.Metric) (last *experiment.Experiment) {
	for _, e := range p.experiments {
		if m.Name != "" && slices.Contains(e.value.Metrics(), m.Name) && (last == nil || e.value.Start > last.Start) {
			last = e.value
		}
	}
	return last
}

// checkMetric checks that what a metric is computed from is there, for the last experiment that needs it.
func (p project) checkMetric(m *metric.Metric, e *experiment.Experiment) error {
	errs := []error{strictyaml.At("table", p.checkFilled(m.Table))}
	if m.Denominator != nil {
		errs = append(errs, strictyaml.At("denominator.table", p.checkFilled(m.Denominator.Table)))
	}
	if m.Currency != "" && !p.filled(table.Rate) {
		errs = append(errs, strictyaml.At("currency",
			fmt.Errorf("no stream under sources fills %s, by which amounts are converted", table.Rate)))
	}
	if until := m.Window.Until; until != nil && *until < e.Start {
		errs = append(errs, strictyaml.At("window",
			fmt.Errorf("%s ends before experiment %s starts, on %s: nothing would ever count", m.Window, e.Name, e.Start)))
	}
	return errors.Join(errs...)
}

// checkExperiment checks that an experiment's metrics are defined, and that what its units are made from is there.
func (p project) checkExperiment(e *experiment.Experiment) error {
	var errs []error
	if !p.filled(table.Exposure) {
		errs = append(errs, strictyaml.At("name",
			fmt.Errorf("no stream under sources fills %s, which says who saw a variant", table.Exposure)))
	}
	var names []string
	for _, m := range p.metrics {
		names = append(names, m.value.Name)
	}
	for field, name := range e.Named() {
		if name != "" && !slices.Contains(names, "") && !slices.Contains(names, name) { // a file whose name could not be read may be it
			errs = append(errs, strictyaml.At(field,
				fmt.Errorf("no file in metrics/ defines %q: %s", name, strictyaml.Suggest(name, names))))
		}
	}
	for field, event := range map[string]*experiment.Event{"eligibility.table": e.Eligibility, "activation.table": e.Activation} {
		if event != nil {
			errs = append(errs, strictyaml.At(field, p.checkFilled(event.Table)))
		}
	}
	for i, segment := range e.Segments {
		switch {
		case segment == experiment.Channel && !p.filled(table.WebEvent):
			errs = append(errs, strictyaml.At("segments."+strconv.Itoa(i),
				fmt.Errorf("no stream under sources fills %s, from which it is read", table.WebEvent)))
		case segment == experiment.Plan && !p.filled(table.Subscription) && !p.filled(table.Payment):
			errs = append(errs, strictyaml.At("segments."+strconv.Itoa(i),
				fmt.Errorf("no stream under sources fills %s or %s, from which it is read", table.Subscription, table.Payment)))
		}
	}
	return errors.Join(errs...)
}

// checkFilled checks that a stream fills a table; a table that does not exist has been reported by its definition.
func (p project) checkFilled(path string) error {
	if t := table.Named(path); t != nil && !p.filled(t) {
		return fmt.Errorf("no stream under sources fills %s", t)
	}
	return nil
}

// filled reports whether a stream fills a table; while the streams are not known, all are.
func (p project) filled(t *table.Table) bool {
	if !p.streamsKnown {
		return true
	}
	if slices.Contains(p.sources.tables(), t) {
		return true
	}
	if p.streams != nil {
		for _, m := range p.streams.Streams {
			if m.Table == t.Path() {
				return true
			}
		}
	}
	return false
}

func unique[T any](d definition[T], name, what string, firsts map[string]string) error {
	if name == "" {
		return nil
	}
	if first, taken := firsts[name]; taken {
		return d.doc.Locate(strictyaml.At("name", fmt.Errorf("a second %s %q: the first is in %s", what, name, first)))
	}
	firsts[name] = d.file
	return nil
}

// tables are those that the sources may fill.
func (s Sources) tables() (tables []*table.Table) {
	add := func(given bool, fills ...*table.Table) {
		if given {
			tables = append(tables, fills...)
		}
	}
	add(s.Assignment != nil, table.Assignment, table.Exposure)
	add(s.Bank != nil, table.BankTransaction, table.BankAccrual)
	add(s.CRM != nil, table.CRMContact, table.CRMSubscription)
	add(s.GA != nil, table.WebEvent)
	add(s.Payments != nil, table.Payment, table.Refund, table.Dispute, table.Subscription, table.Invoice, table.BalanceTransaction)
	add(s.ProductDB != nil, table.ProductUser, table.ProductDevice, table.ProductLogin, table.Viewing)
	return tables
}
