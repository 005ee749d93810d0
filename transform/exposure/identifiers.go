package exposure

import (
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// emitIdentifiers says whose the events of accounts and devices are.
func (b *builder) emitIdentifiers(c *cohort) error {
	emit := func(kind identifier.Kind, id identifier.ID, of claim) error {
		row := &table.UnitIdentifierRow{Stitching: c.stitching, IdentifierType: string(kind), Identifier: id, Unit: c.ids[of.unit]}
		if of.from != always {
			row.From = instant(of.from)
		}
		return b.out.Identifier(row)
	}
	for n, u := range c.devices {
		if u != none && b.isEligible(c.first+u) {
			if err := emit(identifier.Device, b.devices.ids[n], claim{u, always}); err != nil {
				return err
			}
		}
	}
	if c.by == identifier.Account {
		for n, u := range c.accounts {
			if u != none && b.isEligible(c.first+u) {
				if err := emit(identifier.Account, b.accounts.ids[n], claim{u, always}); err != nil {
					return err
				}
			}
		}
		return nil
	}
	var claims []claim
	for n, id := range b.accounts.ids {
		claims = b.claims(c, uint32(n), claims[:0])
		for _, of := range claims {
			if err := emit(identifier.Account, id, of); err != nil {
				return err
			}
		}
	}
	return nil
}
