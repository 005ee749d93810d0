package evaluate

// Login is a row of a device that may say which account it is of.
type Login struct {
	Device  uint32
	Account uint32 // None where the row tells none
	At      int64  // any unit
}

// LastLogin is the usual baseline, "last login wins": each device belongs for all time to the account of its latest row
// that tells one, as in dbt's package for GA4 and Snowplow's user mapping. Of rows at one time the smaller account
// counts. Devices are numbered from 0 to n−1; one that never logged in gets None.
func LastLogin(n int, rows []Login) []uint32 {
	account, at := make([]uint32, n), make([]int64, n)
	for i := range account {
		account[i] = None
	}
	for _, r := range rows {
		known := account[r.Device] != None
		if r.Account != None && (!known || r.At > at[r.Device] || r.At == at[r.Device] && r.Account < account[r.Device]) {
			account[r.Device], at[r.Device] = r.Account, r.At
		}
	}
	return account
}
