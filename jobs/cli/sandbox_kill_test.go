package cli_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"crosslift/warehouse/lake/object"
	"crosslift/warehouse/lake/object/s3test"
)

// TestSandboxKilled kills the extraction of sources that limit, fail and break off, at random moments, and runs it again:
// the lake ends exactly as the truth says. The soak does it more often, and on a real S3 server.
func TestSandboxKilled(t *testing.T) {
	t.Parallel()
	soak := os.Getenv("CROSSLIFT_SOAK") != ""
	times, options := 3, []string{"--people", "150", "--nights", "3"}
	if soak {
		times, options = 20, []string{"--people", "2000", "--nights", "20"}
	}
	dir := playground(t)
	serve(t, dir, append(options, "--faults", "limits,errors,cut")...)
	first, last, _ := nights(t, dir)
	store := object.NewFolder(filepath.Join(dir, "lake"))
	if soak {
		server := s3test.Start(t)
		onS3(t, dir, server, "killed")
		var err error
		if store, err = object.NewS3(t.Context(), server.Config("killed")); err != nil {
			t.Fatal(err)
		}
	}
	installed := time.Now()
	seed := uint64(installed.UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	all := backfill(first, last)
	killed := 0
	for range times {
		c := command(t, dir, all...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// Each life is of a few partitions: the last one has something left to do.
		time.Sleep(200*time.Millisecond + time.Duration(random.Int64N(int64(last-first+1)*int64(150*time.Millisecond))))
		_ = c.Process.Kill() // it may have ended already
		_ = c.Wait()
		if c.ProcessState.ExitCode() < 0 {
			killed++
		}
	}
	if t.Logf("%d of %d were killed", killed, times); soak && killed < times/2 {
		t.Errorf("%d of %d lived to their end: give them more to do", times-killed, times)
	}
	must(t, dir, all...)
	asTrue(t, "after kills", compared(t, dir, store, first, last, installed))
	must(t, dir, "lake", "verify")
	equal(t, "status after kills", notCurrent(t, dir), nil)
}

// TestSandboxSoak verifies bigger worlds under all faults.
func TestSandboxSoak(t *testing.T) {
	if os.Getenv("CROSSLIFT_SOAK") == "" {
		t.Skip("only in the soak: set CROSSLIFT_SOAK")
	}
	t.Parallel()
	for seed := range 3 {
		by := []string{"account", "device"}[seed%2]
		t.Run(fmt.Sprintf("seed %d by %s", 101+seed, by), func(t *testing.T) {
			verified(t, t.TempDir(), "--seed", fmt.Sprint(101+seed), "--people", "3000", "--nights", "40", "--faults", "all", "--assigned-by", by)
		})
	}
}
