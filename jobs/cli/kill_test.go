package cli_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crosslift/warehouse/lake/object/s3test"
)

// kills is how often the pipeline is killed; the soak kills it much more often.
func kills() int {
	if os.Getenv("CROSSLIFT_SOAK") != "" {
		return 60
	}
	return 4
}

// TestKilled kills the pipeline at random moments and runs it again: the lake and the warehouse end in the state of an
// undisturbed run.
func TestKilled(t *testing.T) {
	t.Parallel()
	undisturbed := world(t)
	began := time.Now()
	must(t, undisturbed, fourDays...)
	took := time.Since(began)
	want, results := objects(t, filepath.Join(undisturbed, "lake")), must(t, undisturbed, "results", "-o", "json").stdout

	dir := world(t)
	killAndFinish(t, dir, took)
	same(t, "objects after kills", objects(t, filepath.Join(dir, "lake")), want)
	if got := must(t, dir, "results", "-o", "json").stdout; got != results {
		t.Errorf("the warehouse after kills:\n%s\nundisturbed:\n%s", got, results)
	}
	must(t, dir, "lake", "verify")
	equal(t, "status after kills", notCurrent(t, dir), nil)
}

func killAndFinish(t *testing.T, dir string, took time.Duration) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, seed))
	for range kills() {
		c := command(t, dir, fourDays...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.Int64N(int64(took))))
		_ = c.Process.Kill() // it may have ended already
		_ = c.Wait()
	}
	must(t, dir, fourDays...)
}

// onS3 makes a project's lake an S3 prefix.
func onS3(t *testing.T, dir string, s *s3test.Server, prefix string) {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(dir, "crosslift.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	lake := fmt.Sprintf("lake: {url: %q, endpoint: %q, region: us-east-1, path_style: true, access_key: \"file:secrets/access\", secret_key: \"file:secrets/secret\"}",
		"s3://"+s.Bucket+"/"+prefix, s.Endpoint)
	write(t, dir, map[string]string{
		"crosslift.yaml": strings.Replace(string(config), "lake: file:lake", lake, 1),
		"secrets/access": s.AccessKey, "secrets/secret": s.SecretKey,
	})
}

// TestS3 runs the same world on a real S3 server, kills it there too, and finds the same contents.
func TestS3(t *testing.T) {
	t.Parallel()
	folder := world(t)
	must(t, folder, fourDays...)
	want := contents(t, folder)

	server := s3test.Start(t)
	dir := world(t)
	onS3(t, dir, server, "cinema/lake")
	began := time.Now()
	must(t, dir, fourDays...)
	took := time.Since(began)
	same(t, "contents on S3", contents(t, dir), want)
	equal(t, "status on S3", notCurrent(t, dir), nil)

	killed := world(t)
	onS3(t, killed, server, "killed")
	killAndFinish(t, killed, took)
	same(t, "contents on S3 after kills", contents(t, killed), want)
	must(t, killed, "lake", "verify")

	wrong := world(t)
	onS3(t, wrong, server, "wrong")
	write(t, wrong, map[string]string{"secrets/secret": "not-the-secret"})
	if a := fails(t, 14, "credentials", wrong, fourDays...); strings.Contains(a.stderr, "not-the-secret") {
		t.Error("the secret was printed")
	}
	missing := world(t)
	onS3(t, missing, server, "x")
	config, err := os.ReadFile(filepath.Join(missing, "crosslift.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, missing, map[string]string{"crosslift.yaml": strings.Replace(string(config), "s3://"+server.Bucket+"/", "s3://nowhere-to-be-found/", 1)})
	fails(t, 14, "nowhere-to-be-found", missing, fourDays...)
}
