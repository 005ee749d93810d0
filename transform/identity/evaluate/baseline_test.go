package evaluate

import (
	"encoding/csv"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
)

// The unit test of dbt's package for GA4, see testdata/dbt_ga4: a device's last user id that is not null.
func TestLastLoginOfDBT(t *testing.T) {
	t.Parallel()
	events, expected := rows(t, "events.csv"), rows(t, "expected.csv")
	devices, accounts := map[string]uint32{}, map[string]uint32{"": None}
	names := []string{}
	var logins []Login
	for _, e := range events {
		if _, ok := devices[e["client_key"]]; !ok {
			devices[e["client_key"]] = uint32(len(devices))
		}
		if _, ok := accounts[e["user_id"]]; !ok {
			accounts[e["user_id"]], names = uint32(len(names)), append(names, e["user_id"])
		}
		at, err := strconv.ParseInt(e["event_timestamp"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		logins = append(logins, Login{devices[e["client_key"]], accounts[e["user_id"]], at})
	}
	want := map[string]string{}
	for _, e := range expected {
		want[e["client_key"]] = e["last_seen_user_id"]
	}
	for range 5 { // in any order
		got := LastLogin(len(devices), logins)
		for device, n := range devices {
			name := ""
			if got[n] != None {
				name = names[got[n]]
			}
			if name != want[device] {
				t.Errorf("device %s: account %q instead of %q", device, name, want[device])
			}
		}
		rand.Shuffle(len(logins), func(i, j int) { logins[i], logins[j] = logins[j], logins[i] })
	}
}

func TestLastLoginAtOneTime(t *testing.T) {
	t.Parallel()
	rows := []Login{{0, 5, -3}, {0, 2, -3}, {0, None, 9}, {0, 4, -3}, {2, 7, 1}, {2, 3, 0}}
	if got := LastLogin(3, rows); !slices.Equal(got, []uint32{2, None, 7}) {
		t.Errorf("%v", got)
	}
}

func rows(t *testing.T, name string) (all []map[string]string) {
	t.Helper()
	f, err := os.Open("testdata/dbt_ga4/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		all = append(all, row)
	}
	return all
}
