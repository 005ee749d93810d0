package object_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"crosslift/warehouse/lake/object"
	"crosslift/warehouse/lake/object/objecttest"
	"crosslift/warehouse/lake/object/s3test"
)

// children are what the test binary does when it runs itself to be killed or confined.
var children = map[string]func() error{"write": writeVersions, "full": fill}

func newContext() context.Context { return context.Background() }

func TestMain(m *testing.M) {
	if child, ok := children[os.Getenv("OBJECT_TEST_CHILD")]; ok {
		if err := child(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// version is an object's content in the test of kills: large enough for two parts, and of one version throughout.
func version(v uint64) []byte {
	return append(binary.BigEndian.AppendUint64(nil, v), objecttest.Bytes(v, 6<<20)...)
}

// versionOf is the inverse of version: an error for anything that is not wholly one version.
func versionOf(content []byte) (uint64, error) {
	if len(content) < 8 {
		return 0, fmt.Errorf("%d bytes are no version", len(content))
	}
	v := binary.BigEndian.Uint64(content)
	if !bytes.Equal(content, version(v)) {
		return 0, fmt.Errorf("%d bytes that begin as version %d are not that version", len(content), v)
	}
	return v, nil
}

func childStore(ctx context.Context) (object.Store, error) {
	config := os.Getenv("OBJECT_TEST_STORE")
	if !strings.HasPrefix(config, "{") {
		return object.NewFolder(config), nil
	}
	var c object.S3Config
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return nil, err
	}
	return object.NewS3(ctx, c)
}

// writeVersions replaces the object by its next version, again and again, and says which ones were acknowledged. A
// commit that the writer before it sent may still arrive: then it looks again.
func writeVersions() error {
	ctx := newContext()
	store, err := childStore(ctx)
	if err != nil {
		return err
	}
	for {
		v, etag, err := present(ctx, store)
		for err == nil {
			v++
			fmt.Println("writing", v)
			var info object.Info
			if info, err = objecttest.Put(ctx, store, key, version(v), etag); err == nil {
				etag = info.ETag
				fmt.Println("written", v)
			}
		}
		if !errors.Is(err, object.ErrPrecondition) && !errors.Is(err, object.ErrChanged) {
			return err
		}
	}
}

// present reads which version is there, 0 for none, and requires it to be whole.
func present(ctx context.Context, store object.Store) (v uint64, etag string, err error) {
	info, err := store.Stat(ctx, key)
	if errors.Is(err, object.ErrNotFound) {
		return 0, "", nil
	} else if err != nil {
		return 0, "", err
	}
	content, err := objecttest.Get(ctx, store, key)
	if err != nil {
		return 0, "", err
	}
	v, err = versionOf(content)
	return v, info.ETag, err
}

// TestKilled kills writers at random moments. The object is always one version's bytes, not older than the last that
// was acknowledged, and the next writer goes on from there.
func TestKilled(t *testing.T) {
	t.Parallel()
	kills := 4
	if os.Getenv("CROSSLIFT_SOAK") != "" {
		kills = 300
	}
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		store := object.NewFolder(dir)
		killed(t, store, dir, kills)
		for range store.List(t.Context(), "") { // which sweeps
		}
		if left := entries(t, filepath.Dir(filepath.Join(dir, key))); len(left) != 1 {
			t.Errorf("left: %v", left)
		}
	})
	t.Run("S3", func(t *testing.T) {
		t.Parallel()
		config := s3test.Start(t).Config("killed")
		text, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		killed(t, s3Store(t, config), string(text), kills)
	})
}

func killed(t *testing.T, store object.Store, config string, kills int) {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range kills {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "OBJECT_TEST_CHILD=write", "OBJECT_TEST_STORE="+config)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		var written uint64
		rounds := 1 + random.IntN(3)
		for lines.Scan() {
			what, number, _ := strings.Cut(lines.Text(), " ")
			v, err := strconv.ParseUint(number, 10, 64)
			if err != nil {
				t.Fatalf("the writer said: %s", lines.Text())
			}
			if what == "written" {
				written = v
			} else if rounds--; rounds == 0 {
				// A moment of the next write, or after it.
				time.AfterFunc(time.Duration(random.IntN(60))*time.Millisecond, func() { _ = c.Process.Kill() })
			}
		}
		if err := c.Wait(); err == nil || c.ProcessState.Exited() {
			t.Fatalf("the writer ended by itself: %v", err)
		}
		v, _, err := present(t.Context(), store)
		for errors.Is(err, object.ErrChanged) { // the server had the dead writer's commit in hand
			v, _, err = present(t.Context(), store)
		}
		if err != nil {
			t.Fatal(err)
		}
		if v < written {
			t.Fatalf("version %d was acknowledged, then %d is there", written, v)
		}
	}
}
