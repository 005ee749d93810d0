package timeline

import (
	"context"
	"fmt"

	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// readRows reads core/device_timeline, without the confidence, which follows from the rest.
func readRows(ctx context.Context, f *columns.File, each func(table.DeviceTimelineRow) error) error {
	var device, from, to, account, profile, method, shared columns.Vector
	for g := range f.RowGroups() {
		for _, c := range []struct {
			column string
			into   *columns.Vector
		}{{"device", &device}, {"from_ts", &from}, {"to_ts", &to}, {"account", &account}, {"profile_id", &profile}, {"method", &method}, {"shared", &shared}} {
			if err := f.Vector(ctx, g, c.column, c.into); err != nil {
				return fmt.Errorf("%s: %w", table.DeviceTimeline, err)
			}
		}
		for row := range device.Index {
			if err := each(table.DeviceTimelineRow{
				Device: device.IDs[device.Index[row]], From: table.Micros(from.Ints[row]), To: table.Micros(to.Ints[row]),
				Account: account.IDs[account.Index[row]], Profile: profile.IDs[profile.Index[row]],
				Method: method.Strings[method.Index[row]], Shared: shared.Bools[row],
			}); err != nil {
				return err
			}
		}
	}
	return nil
}
