package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTheLastToLeaveStopsTheServer(t *testing.T) {
	t.Parallel()
	m, dir := quiet(t), folder(t)
	wantRunning(t, dir, false)
	a, b := join(t, m, dir), join(t, m, dir)
	for _, c := range []struct{ role, statement, want string }{
		{"owner", "SELECT current_user || ' ' || current_database()", "owner crosslift"},
		{"bi", "SELECT current_user::text", "bi"},
		{"owner", "SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = 'crosslift'", "owner"},
		{"owner", "SELECT (rolcreaterole AND NOT rolsuper)::text FROM pg_roles WHERE rolname = 'owner'", "true"},
		{"owner", "SHOW data_checksums", "on"},
		{"owner", "SHOW listen_addresses", ""},
		{"owner", "SHOW TimeZone", "UTC"},
		{"owner", "SELECT pg_encoding_to_char(encoding) || ' ' || datcollate FROM pg_database " +
			"WHERE datname = 'crosslift'", "UTF8 C.UTF-8"},
	} {
		if got := ask(t, a.URL(c.role), c.statement); got != c.want {
			t.Errorf("%s: %s = %q, want %q", c.role, c.statement, got, c.want)
		}
	}
	if ask(t, a.URL("owner"), started) != ask(t, b.URL("owner"), started) {
		t.Error("two servers for two that joined")
	}
	check(t, a.Leave(t.Context()))
	wantRunning(t, dir, true)
	if err := Stop(t.Context(), dir); !errors.Is(err, ErrInUse) {
		t.Errorf("Stop with a program joined: %v", err)
	}
	ask(t, b.URL("bi"), "SELECT 1")
	check(t, b.Leave(t.Context()))
	check(t, b.Leave(t.Context()))
	wantRunning(t, dir, false)
	if _, err := os.Stat(b.at.socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its socket's folder is left behind: %v", err)
	}
}

// TestLeavingEndsALockThatACopyShares: a process that is just being started has copies of all open files until it
// executes; they must not keep a membership alive.
func TestLeavingEndsALockThatACopyShares(t *testing.T) {
	t.Parallel()
	m := quiet(t)
	dir := created(t, m)
	c := join(t, m, dir)
	copied, err := syscall.Dup(int(c.users.Fd()))
	check(t, err)
	t.Cleanup(func() { syscall.Close(copied) })
	check(t, c.Leave(t.Context()))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	again, err := m.join(ctx, dir)
	check(t, err)
	check(t, again.Leave(t.Context()))
	wantRunning(t, dir, false)
}

func TestAPinnedServerRunsUntilStop(t *testing.T) {
	t.Parallel()
	m := quiet(t)
	dir := created(t, m)
	c := join(t, m, dir)
	check(t, c.Pin(t.Context()))
	check(t, c.Leave(t.Context()))
	wantRunning(t, dir, true)
	ask(t, c.URL("bi"), "SELECT 1")
	check(t, Stop(t.Context(), dir))
	wantRunning(t, dir, false)
	check(t, Stop(t.Context(), dir))
	check(t, join(t, m, dir).Leave(t.Context())) // no longer pinned
	wantRunning(t, dir, false)
}

func TestProgramsThatStartTogetherShareOneServer(t *testing.T) {
	t.Parallel()
	quiet(t)
	dir := folder(t)
	var all []*program
	for range 3 {
		all = append(all, spawn(t, dir))
	}
	servers := map[string]bool{}
	for _, p := range all {
		servers[ask(t, p.url(t), started)] = true
	}
	if len(servers) != 1 {
		t.Errorf("%d servers", len(servers))
	}
	for _, p := range all {
		wantRunning(t, dir, true)
		p.leave(t)
	}
	wantRunning(t, dir, false)
}

func TestTheServerOutlivesAKilledProgramAndIsFound(t *testing.T) {
	t.Parallel()
	m := quiet(t)
	dir := created(t, m)
	p := spawn(t, dir)
	before := ask(t, p.url(t), started)
	p.kill(t)
	wantRunning(t, dir, true)
	c := join(t, m, dir)
	if after := ask(t, c.URL("owner"), started); after != before {
		t.Errorf("another server: started %s, then %s", before, after)
	}
	if pgid, err := syscall.Getpgid(c.at.pid); err != nil || pgid != c.at.pid {
		t.Errorf("the server is in process group %d (%v), so that Ctrl-C reaches it", pgid, err)
	}
	check(t, c.Leave(t.Context()))
	wantRunning(t, dir, false)
}

func TestAKilledServerRecovers(t *testing.T) {
	t.Parallel()
	m := quiet(t)
	dir := created(t, m)
	c := join(t, m, dir)
	ask(t, c.URL("owner"), "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS i; SELECT 'made'")
	before := ask(t, c.URL("owner"), started)
	check(t, syscall.Kill(c.at.pid, syscall.SIGKILL))
	d := join(t, m, dir)
	if got := ask(t, d.URL("owner"), "SELECT count(*)::text FROM kept"); got != "1000" {
		t.Errorf("%s rows after the recovery", got)
	}
	if ask(t, d.URL("owner"), started) == before {
		t.Error("the server was not started again")
	}
}

func TestAKilledBackendRecovers(t *testing.T) {
	t.Parallel()
	m := quiet(t)
	dir := created(t, m)
	c := join(t, m, dir)
	super := c.at.url("postgres", "postgres")
	var first string
	writer := func() (string, error) {
		return query(super, "SELECT coalesce(max(pid), 0)::text FROM pg_stat_activity WHERE backend_type = 'walwriter'")
	}
	check(t, poll(t.Context(), func() (_ bool, err error) {
		first, err = writer()
		return first != "0", err
	}))
	pid, err := strconv.Atoi(first)
	check(t, err)
	check(t, syscall.Kill(pid, syscall.SIGKILL)) // the server starts all of its processes again
	check(t, poll(t.Context(), func() (bool, error) {
		now, err := writer()
		return err == nil && now != "0" && now != first, nil
	}))
}

func TestAStalePidFileIsNoServer(t *testing.T) {
	t.Parallel()
	m := quiet(t)
	dir := created(t, m)
	c := join(t, m, dir)
	name := filepath.Join(dir, "data", "postmaster.pid")
	left, err := os.ReadFile(name)
	check(t, err)
	check(t, c.Leave(t.Context()))
	other := exec.Command("sleep", "600") // has the number of the server before the crash
	if as, err := m.newAccount(); err == nil && as != nil {
		other.SysProcAttr = &syscall.SysProcAttr{Credential: as} // PostgreSQL believes in processes of its own user
	}
	check(t, other.Start())
	defer func() { other.Process.Kill(); other.Wait() }()
	_, rest, _ := strings.Cut(string(left), "\n")
	check(t, os.WriteFile(name, []byte(strconv.Itoa(other.Process.Pid)+"\n"+rest), 0o600))
	wantRunning(t, dir, false)
	ask(t, join(t, m, dir).URL("owner"), "SELECT 1")
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the other process was hurt: %v", err)
	}
}

func TestFoldersThatAreHardToReach(t *testing.T) {
	t.Parallel()
	m := quiet(t)
	t.Run("only the user may enter", func(t *testing.T) {
		t.Parallel()
		base := t.TempDir()
		check(t, os.Chmod(base, 0o700))
		c := join(t, m, filepath.Join(base, "state"))
		ask(t, c.URL("owner"), "SELECT count(*)::text FROM pg_class a, pg_class b")
		check(t, c.Leave(t.Context()))
		c = join(t, m, filepath.Join(base, "state"))
		check(t, c.Leave(t.Context()))
	})
	t.Run("deep", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), strings.Repeat("a project, näme/", 20), "state")
		c := join(t, m, dir)
		if len(dir) < 300 || len(c.at.socket) > 80 {
			t.Errorf("folder of %d bytes, socket's folder of %d", len(dir), len(c.at.socket))
		}
		ask(t, c.URL("bi"), "SELECT 1")
		check(t, c.Leave(t.Context()))
	})
}

func TestTCPOnRequest(t *testing.T) {
	t.Parallel()
	m := quiet(t)
	dir := created(t, m)
	c := join(t, m, dir)
	socket := c.URL("bi")
	other := join(t, m, dir)
	if _, err := c.TCPURL(t.Context(), "bi"); !errors.Is(err, ErrInUse) {
		t.Fatalf("restart under another's feet: %v", err)
	}
	check(t, other.Leave(t.Context()))
	wantRunning(t, dir, true) // the failed attempt did not cost the membership
	url, err := c.TCPURL(t.Context(), "bi")
	check(t, err)
	if got := ask(t, url, "SELECT current_user || ' ' || host(inet_server_addr())"); got != "bi 127.0.0.1" {
		t.Errorf("over TCP: %s", got)
	}
	if c.URL("bi") != socket {
		t.Errorf("the socket moved from %s to %s", socket, c.URL("bi"))
	}
	before := ask(t, socket, started)
	if again, err := c.TCPURL(t.Context(), "bi"); err != nil || again != url || ask(t, socket, started) != before {
		t.Errorf("asked again: %s, %v", again, err)
	}
	for name, bad := range map[string]string{
		"wrong password": strings.Replace(url, "@", "x@", 1),
		"superuser":      strings.Replace(url, "//bi:", "//postgres:", 1),
	} {
		_, err := query(bad, "SELECT 1")
		if err == nil || !strings.Contains(err.Error(), "password authentication failed") {
			t.Errorf("%s: %v", name, err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "passwords"))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("passwords: %v, %v", info, err)
	}
	log, err := os.ReadFile(filepath.Join(dir, "server.log"))
	if err != nil || strings.Contains(string(log), "ALTER ROLE") {
		t.Errorf("the log tells about the password: %s, %v", log, err)
	}
}

func TestAKilledCreationLeavesNothing(t *testing.T) {
	t.Parallel()
	m, dir := quiet(t), folder(t)
	p := spawn(t, dir)
	check(t, poll(t.Context(), func() (bool, error) {
		_, err := os.Stat(filepath.Join(dir, "data.new", "base"))
		return err == nil, nil
	}))
	p.kill(t)
	if _, err := os.Stat(filepath.Join(dir, "data")); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("data before it was complete: %v", err)
	}
	ask(t, join(t, m, dir).URL("bi"), "SELECT 1")
	if _, err := os.Stat(filepath.Join(dir, "data.new")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("data.new is left: %v", err)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Parallel()
	m := quiet(t)
	dir := created(t, m)
	for _, c := range []struct {
		name   string
		dir    string
		change func(t *testing.T, m *machine, dir string)
		want   string
	}{
		{"no PostgreSQL", filepath.Join(t.TempDir(), "a"), func(_ *testing.T, m *machine, _ string) {
			m.programs = []string{t.TempDir()}
		}, "apt install postgresql"},
		{"no account", filepath.Join(t.TempDir(), "b"), func(t *testing.T, m *machine, _ string) {
			if os.Geteuid() != 0 {
				t.Skip("only root needs one")
			}
			m.account = "nobody-of-this-name"
		}, "run as an ordinary user"},
		{"no folder", "/proc/crosslift", func(*testing.T, *machine, string) {}, "/proc/crosslift"},
		{"a socket's folder that is a link", dir, func(t *testing.T, m *machine, dir string) {
			own, err := m.socketFolder(dir, nil)
			check(t, err)
			check(t, os.Remove(own))
			m.sockets = t.TempDir()
			check(t, os.Symlink("/etc", filepath.Join(m.sockets, filepath.Base(own))))
		}, "folder for its socket"},
		{"another version", dir, func(t *testing.T, _ *machine, dir string) {
			version, err := os.ReadFile(filepath.Join(dir, "data", "PG_VERSION"))
			check(t, err)
			check(t, os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("9\n"), 0o600))
			t.Cleanup(func() { check(t, os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), version, 0o600)) })
		}, "install PostgreSQL 9, or move"},
		{"damaged settings", dir, func(t *testing.T, _ *machine, dir string) {
			conf := filepath.Join(dir, "data", "postgresql.conf")
			check(t, os.WriteFile(conf, []byte("no_such_setting = 1\n"), 0o600))
		}, `unrecognized configuration parameter "no_such_setting"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := m
			c.change(t, &m, c.dir)
			_, err := m.join(t.Context(), c.dir)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v\nwant one line with: %s", err, c.want)
			}
			if (c.name == "no PostgreSQL") != errors.Is(err, ErrNoPostgres) {
				t.Errorf("%v: ErrNoPostgres?", err)
			}
		})
	}
}

func TestGivingUpWhileAnotherStarts(t *testing.T) {
	t.Parallel()
	m, dir := quiet(t), folder(t)
	check(t, os.MkdirAll(dir, 0o700))
	gate, err := (&Cluster{dir: dir}).enter(t.Context())
	check(t, err)
	defer gate.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := m.join(ctx, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Join = %v", err)
	}
	check(t, gate.Close())
}

// Everything again as the user that the machine has for such purposes. The binary is copied, since the folder in
// which `go test` makes it is closed to others.
func TestAsAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	quiet(t)
	if os.Geteuid() != 0 {
		t.Skip("the other tests run as an ordinary user already")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("no user nobody to become: ", err)
	}
	uid, err := strconv.Atoi(nobody.Uid)
	check(t, err)
	temp, err := os.MkdirTemp("/tmp", "crosslift-nobody-")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(temp) })
	check(t, os.Chown(temp, uid, uid))
	binary := filepath.Join(temp, "local.test")
	content, err := os.ReadFile(os.Args[0])
	check(t, err)
	check(t, os.WriteFile(binary, content, 0o755))
	cmd := exec.CommandContext(t.Context(), binary, "-test.run="+
		"^(TestTheLast|TestTheServerOutlives|TestFolders|TestTCP)")
	cmd.Dir, cmd.Env = temp, []string{"PATH=/usr/bin:/bin", "HOME=" + temp, "TMPDIR=" + temp}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}

func TestATakenPortIsSaidBeforeTheServerIsStopped(t *testing.T) {
	t.Parallel()
	m := quiet(t)
	dir := created(t, m)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer taken.Close()
	check(t, os.WriteFile(filepath.Join(dir, "port"), fmt.Appendln(nil, taken.Addr().(*net.TCPAddr).Port), 0o600))
	c := join(t, m, dir)
	before := ask(t, c.URL("owner"), started)
	_, err = c.TCPURL(t.Context(), "bi")
	if err == nil || !strings.Contains(err.Error(), "is taken by another program") {
		t.Errorf("TCPURL = %v", err)
	}
	if ask(t, c.URL("owner"), started) != before {
		t.Error("the server was restarted for nothing")
	}
}

func TestAFullDiskIsSaid(t *testing.T) {
	t.Parallel()
	const output = "creating subdirectories ... ok\n" +
		"2026-11-24 12:31:02.123 UTC [7] ERROR:  could not extend file \"base/1/1249\": No space left on device\n" +
		"2026-11-24 12:31:02.124 UTC [7] PANIC:  cannot abort transaction 1, it was already committed\n" +
		"child process exited with exit code 134\n"
	err := (&Cluster{dir: "there"}).explain(complaint([]byte(output)))
	if got, want := fmt.Sprint(err), "private Postgres in there: no space left on device: free some space"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
