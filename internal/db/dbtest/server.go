package dbtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// ErrNoServer says that PostgreSQL's programs are not installed here.
var ErrNoServer = errors.New("PostgreSQL is not installed (Debian: apt-get install postgresql)")

// Server gives the URL of the test run's PostgreSQL cluster, starting one if need be.
func Server() (string, error) {
	if given := os.Getenv(serverVariable); given != "" {
		return given, nil
	}
	return ownServer()
}

var ownServer = sync.OnceValues(func() (string, error) {
	c, err := StartCluster()
	if err != nil {
		return "", err
	}
	// The process has no last moment of its own, so a watcher clears up after it.
	return c.URL, c.stopAfter(os.Getpid())
})

func needServer(t testing.TB) {
	t.Helper()
	if os.Getenv(serverVariable) != "" {
		return
	}
	if _, err := binary("postgres"); err != nil {
		if os.Getenv("KEYTURN_TEST_REQUIRE") == "all" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// Cluster is a private PostgreSQL, reached by a socket in its own folder only.
type Cluster struct {
	// URL is its superuser's way in.
	URL string
	// Dir holds its data, its socket and its log.
	Dir string

	cmd *exec.Cmd
}

// settings are for hundreds of databases that live for seconds and may all be lost:
// nothing waits for the disk, is kept for a standby, or is tidied up in the background,
// and the log, which may lie in memory, stays small.
const settings = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0" +
	" -c autovacuum=off -c jit=off -c checkpoint_timeout=1h -c max_wal_size=256MB" +
	" -c max_connections=1000 -c shared_buffers=64MB"

// StartCluster makes and starts a cluster in a new folder: C collation, no network, no
// password, no waiting for the disk. PostgreSQL refuses to run as root, so root
// starts it as an unprivileged user.
func StartCluster() (*Cluster, error) {
	dir, err := os.MkdirTemp("", "keyturn-pg-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{Dir: dir}
	as, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if err := c.run(as, "initdb", "-D", data, "-U", "keyturn", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return nil, err
	}
	if err := c.run(as, "pg_ctl", "start", "-w", "-s", "-D", data, "-l", filepath.Join(dir, "log"), "-o",
		"-c listen_addresses='' -c unix_socket_directories='"+dir+"' "+settings); err != nil {
		return nil, err
	}
	c.URL = "postgres://keyturn@/postgres?host=" + dir
	return c, nil
}

// Stop ends the cluster at once and removes its folder.
func (c *Cluster) Stop() error {
	as, err := unprivileged(c.Dir)
	if err != nil {
		return err
	}
	err = c.run(as, "pg_ctl", "stop", "-s", "-m", "immediate", "-D", filepath.Join(c.Dir, "data"))
	return errors.Join(err, os.RemoveAll(c.Dir))
}

// stopAfter leaves a small shell that waits for the process to be gone, then ends the
// cluster.
func (c *Cluster) stopAfter(pid int) error {
	ctl, err := binary("pg_ctl")
	if err != nil {
		return err
	}
	as, err := unprivileged(c.Dir)
	if err != nil {
		return err
	}
	script := `while kill -0 "$1" 2>/dev/null || [ -d "/proc/$1" ]; do sleep 0.2; done; "$2" stop -s -m immediate -D "$3/data"; rm -rf "$3"/*; rmdir "$3" 2>/dev/null || true`
	c.cmd = exec.Command("/bin/sh", "-c", script, "sh", strconv.Itoa(pid), ctl, c.Dir)
	c.cmd.Dir = "/"
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: as}
	return c.cmd.Start()
}

func (c *Cluster) run(as *syscall.Credential, name string, args ...string) error {
	path, err := binary(name)
	if err != nil {
		return err
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = c.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	said, err := os.CreateTemp("", "keyturn-pg-said-")
	if err != nil {
		return err
	}
	defer func() { _ = said.Close(); _ = os.Remove(said.Name()) }()
	// A file and no pipe: the server that pg_ctl leaves behind would hold a pipe open.
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Run(); err != nil {
		words, _ := os.ReadFile(said.Name())
		return fmt.Errorf("%s: %w: %s", name, err, words)
	}
	return nil
}

// unprivileged gives the folder to an unprivileged user, when this is root.
func unprivileged(dir string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		if who, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("no unprivileged user to run PostgreSQL as: %w", err)
		}
	}
	uid, err := strconv.ParseUint(who.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(who.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// binary finds one of PostgreSQL's programs: on the PATH, or where Debian puts them,
// the newest first.
func binary(name string) (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err == nil && len(found) > 0 {
		sort.Strings(found)
		return found[len(found)-1], nil
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return "", ErrNoServer
}
