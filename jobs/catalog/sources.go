package catalog

import (
	"errors"

	"crosslift/connectors"
	"crosslift/connectors/assignment"
	"crosslift/connectors/bank"
	"crosslift/connectors/crm"
	"crosslift/connectors/files"
	"crosslift/connectors/ga"
	"crosslift/connectors/payments"
	"crosslift/connectors/productdb"
	"crosslift/jobs/config"
)

// Sources makes the project's sources, other than its files. A source that reads files too is given the project's store
// of files, and what is remembered of their sums.
func Sources(c config.Sources, env connectors.Env, store files.Store, sums files.Sums) (all []connectors.Source, err error) {
	add := func(s connectors.Source, problem error) {
		if err = errors.Join(err, problem); problem == nil {
			all = append(all, s)
		}
	}
	if c.Assignment != nil {
		add(assignment.New(*c.Assignment, env, store, sums))
	}
	if c.Bank != nil {
		if c.Bank.Registry != nil {
			c.Bank.Registry.Store, c.Bank.Registry.Sums = store, sums
		}
		add(bank.New(*c.Bank, env))
	}
	if c.CRM != nil {
		add(crm.New(*c.CRM, env))
	}
	if c.GA != nil {
		add(ga.New(*c.GA, env))
	}
	if c.Payments != nil {
		add(payments.New(*c.Payments, env))
	}
	if c.ProductDB != nil {
		add(productdb.New(*c.ProductDB, env))
	}
	if err != nil {
		for _, s := range all {
			err = errors.Join(err, s.Close())
		}
		return nil, err
	}
	return all, nil
}
