package sandbox_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"crosslift/connectors/sandbox"
	"crosslift/schemas/table"
)

func options(t testing.TB, users, days int) sandbox.Options {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	first, err := table.ParseDay("2026-09-01")
	if err != nil {
		t.Fatal(err)
	}
	return sandbox.Options{Seed: 99, Users: users, Days: days, First: first, Zone: zone}
}

// sums are the SHA-256 of all files of a folder by name.
func sums(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		sum := sha256.Sum256(content)
		name, _ := filepath.Rel(dir, path)
		all[name] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSameOptionsGiveTheSameBytes(t *testing.T) {
	dirs := [2]string{t.TempDir(), t.TempDir()}
	o := options(t, 2000, 10)
	for i, dir := range dirs {
		before := runtime.GOMAXPROCS(1 + 3*i)
		for range i + 1 { // and again over files that are there
			if _, err := sandbox.Generate(context.Background(), dir, o); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GOMAXPROCS(before)
	}
	a, b := sums(t, dirs[0]), sums(t, dirs[1])
	if len(a) != 31 || len(a) != len(b) {
		t.Errorf("%d and %d files, want 31", len(a), len(b))
	}
	for name, sum := range a {
		if b[name] != sum {
			t.Errorf("%s differs", name)
		}
	}
	o.Seed++
	other := t.TempDir()
	if _, err := sandbox.Generate(context.Background(), other, o); err != nil {
		t.Fatal(err)
	}
	if name := filepath.Join("viewing", "2026-09-03.csv.gz"); a[name] == "" || sums(t, other)[name] == a[name] {
		t.Errorf("%s is the same for another seed", name)
	}
}

func TestCancelledGenerationLeavesNoFile(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	if _, err := sandbox.Generate(ctx, dir, options(t, 2000, 3)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left := sums(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestImpossibleOptions(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*sandbox.Options){
		func(o *sandbox.Options) { o.Users = 0 }, func(o *sandbox.Options) { o.Days = -1 }, func(o *sandbox.Options) { o.Zone = nil },
	} {
		o := options(t, 10, 1)
		change(&o)
		if _, err := sandbox.Generate(context.Background(), t.TempDir(), o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}

func TestProgressEndsAtAllUsers(t *testing.T) {
	t.Parallel()
	o := options(t, 5000, 2)
	last := -1
	o.Progress = func(done, total int) {
		if done < last || total != o.Users {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
	}
	if _, err := sandbox.Generate(context.Background(), t.TempDir(), o); err != nil {
		t.Fatal(err)
	}
	if last != o.Users {
		t.Errorf("ended at %d", last)
	}
}

// row is a row of any stream, by the names of its fields.
type row map[string]string

// read gives the sound rows of a day's file, and the number of broken ones.
func read(t testing.TB, path string) (rows []row, broken int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = bufio.NewReader(f)
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(path, ".jsonl") {
		for d := json.NewDecoder(r); ; {
			one := row{}
			if err := d.Decode(&one); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, one)
		}
	} else {
		records, err := csv.NewReader(r).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range records[1:] {
			one := row{}
			for i, name := range records[0] {
				one[name] = record[i]
			}
			rows = append(rows, one)
		}
	}
	sound := rows[:0]
	for _, one := range rows {
		if one["exposed_at"] == "yesterday" || one["amount"] == "unknown" || one["seconds"] == "" && one["viewed_at"] != "" {
			broken++
			continue
		}
		sound = append(sound, one)
	}
	return sound, broken
}

// at is the instant of a row.
func at(t testing.TB, r row) time.Time {
	t.Helper()
	if s := r["viewed_at"]; s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return time.Unix(n, 0)
	}
	when, err := time.Parse(time.RFC3339, r["exposed_at"]+r["paid_at"])
	if err != nil {
		t.Fatal(err)
	}
	return when
}

// A metric is worked out from the files by hand, user by user, and must meet the truth within four standard errors.
func TestTruthHoldsInTheFiles(t *testing.T) {
	t.Parallel()
	users := 20_000
	if os.Getenv("CROSSLIFT_SOAK") != "" {
		users = 1_000_000
	}
	dir, o := t.TempDir(), options(t, users, 42)
	truth, err := sandbox.Generate(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d, truth %+v", o.Seed, truth.Metrics)
	end := o.First + 9
	exposed, variant, again := map[string]time.Time{}, map[string]string{}, 0
	platforms, countries := map[string]int{}, map[string]int{}
	each := func(stream, suffix string, f func(day table.Day, r row)) {
		all, bad := 0, 0
		for d := o.First; d < o.First+table.Day(o.Days); d++ {
			rows, broken := read(t, filepath.Join(dir, stream, d.String()+suffix))
			for _, r := range rows {
				if when := at(t, r); table.DayOf(when, o.Zone) != d {
					t.Fatalf("%s %s holds %s", stream, d, when)
				}
				f(d, r)
			}
			if total := len(rows) + broken; broken > 0 && float64(broken) > 0.006*float64(total) {
				t.Errorf("%s %s: %d of %d rows are broken", stream, d, broken, total)
			}
			all, bad = all+len(rows), bad+broken
		}
		if bad == 0 || all == 0 {
			t.Errorf("%s: %d rows, %d broken: expected some of both", stream, all, bad)
		}
	}
	each("exposures", ".jsonl.gz", func(d table.Day, r row) {
		account, when := r["account"], at(t, r)
		platforms[r["platform"]]++
		countries[r["country"]]++
		if known, ok := variant[account]; ok && known != r["variant"] {
			t.Errorf("account %s crosses over", account)
		}
		if d > end && exposed[account].IsZero() {
			return
		}
		variant[account] = r["variant"]
		if first, ok := exposed[account]; !ok || when.Before(first) {
			exposed[account] = when
		}
		if d <= end {
			again++
		}
	})
	if len(exposed) != users {
		t.Fatalf("%d users met the offer, want %d", len(exposed), users)
	}
	if again < users+users/20 || len(platforms) < 3 || len(countries) < 3 {
		t.Errorf("%d exposures of %d users, platforms %v, countries %v", again, users, platforms, countries)
	}
	values := map[string]map[string]float64{"paid_first_month": {}, "paid_second_month": {}, "revenue": {}, "watched_seconds": {}}
	inside := func(r row, days int) bool {
		first, ok := exposed[r["account"]]
		when := at(t, r)
		return ok && !when.Before(first) && when.Before(first.Add(time.Duration(days)*24*time.Hour))
	}
	each("payments", ".csv", func(_ table.Day, r row) {
		if r["status"] != "succeeded" {
			return
		}
		if r["plan"] == "first_month" && inside(r, 7) {
			values["paid_first_month"][r["account"]] = 1
		}
		if r["plan"] == "monthly" && inside(r, 32) {
			values["paid_second_month"][r["account"]] = 1
		}
		if r["currency"] == "RUB" && inside(r, 32) {
			amount, err := strconv.ParseFloat(r["amount"], 64)
			if err != nil {
				t.Fatal(err)
			}
			values["revenue"][r["account"]] += math.Round(amount * 100)
		}
	})
	each("viewing", ".csv.gz", func(_ table.Day, r row) {
		if inside(r, 14) {
			seconds, err := strconv.ParseInt(r["seconds"], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			values["watched_seconds"][r["account"]] += float64(seconds)
		}
	})
	for name, value := range values {
		for arm, want := range map[string]float64{"control": truth.Metrics[name].Control, "offer": truth.Metrics[name].Treatment} {
			var n, sum, squares float64
			for account, v := range variant {
				if v == arm {
					n, sum, squares = n+1, sum+value[account], squares+value[account]*value[account]
				}
			}
			mean := sum / n
			stderr := math.Sqrt((squares/n - mean*mean) / n)
			t.Logf("%s %s: n %.0f, mean %.6g, truth %.6g, z %.2f", name, arm, n, mean, want, (mean-want)/stderr)
			if !(math.Abs(mean-want) <= 4*stderr) {
				t.Errorf("%s %s: mean %g, truth %g, standard error %g", name, arm, mean, want, stderr)
			}
		}
	}
	var written sandbox.Truth
	content, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err == nil {
		err = json.Unmarshal(content, &written)
	}
	if err != nil || written.Seed != truth.Seed || written.Metrics["revenue"] != truth.Metrics["revenue"] || written.First != truth.First {
		t.Errorf("truth.json holds %+v: %v", written, err)
	}
}

// The days of 23 and 25 hours put each row into the file of its business day too.
func TestDaysWhenTheClocksChange(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"2026-03-28", "2026-10-24"} {
		o := options(t, 2000, 4)
		var err error
		if o.Zone, err = time.LoadLocation("Europe/Berlin"); err != nil {
			t.Fatal(err)
		}
		if o.First, err = table.ParseDay(first); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if _, err := sandbox.Generate(context.Background(), dir, o); err != nil {
			t.Fatal(err)
		}
		total := 0
		for d := o.First; d < o.First+4; d++ {
			rows, _ := read(t, filepath.Join(dir, "exposures", d.String()+".jsonl.gz"))
			total += len(rows)
			for _, r := range rows {
				if when := at(t, r); table.DayOf(when, o.Zone) != d {
					t.Errorf("%s holds %s", d, when.In(o.Zone))
				}
			}
		}
		if total < 2000 {
			t.Errorf("%s: %d exposures", first, total)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	o := options(b, 300_000, 42)
	for b.Loop() {
		if _, err := sandbox.Generate(context.Background(), b.TempDir(), o); err != nil {
			b.Fatal(err)
		}
	}
}
