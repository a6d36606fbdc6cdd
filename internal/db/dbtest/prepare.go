package dbtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// What Prepare hands over to the test processes, by these environment variables.
const (
	serverVariable   = "KEYTURN_TEST_POSTGRES"
	templateVariable = "KEYTURN_TEST_POSTGRES_TEMPLATE"
	fileVariable     = "KEYTURN_TEST_SQLITE_TEMPLATE"
)

// Prepare migrates one database of each engine for all the packages of a run, which would
// otherwise each do so, and gives the environment by which they find them. The file of
// SQLite lies in the folder. Without a cluster, nil, it prepares SQLite alone.
func Prepare(folder string, c *Cluster) ([]string, error) {
	raw, err := migratedFile()
	if err != nil {
		return nil, fmt.Errorf("prepare a database of SQLite: %w", err)
	}
	path := filepath.Join(folder, "template.db")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return nil, err
	}
	env := []string{fileVariable + "=" + path}
	if c == nil {
		return env, nil
	}
	name, err := migratedTemplate(c.URL)
	if err != nil {
		return nil, fmt.Errorf("prepare a database of PostgreSQL: %w", err)
	}
	return append(env, serverVariable+"="+c.URL, templateVariable+"="+name), nil
}

// The system's folder in memory, and how much must be free there, in bytes: a run has
// about half a gigabyte in it at most.
const (
	memory     = "/dev/shm"
	memoryFree = 3 << 30
)

// Folder makes a folder for a run's temporary files: in memory where the system has a
// large enough place for it, since a database of PostgreSQL is copied there in a quarter
// of the time, and one of SQLite waits for no disk; otherwise where temporary files
// usually are, or where TMPDIR says.
func Folder() (string, error) {
	in := ""
	var disk syscall.Statfs_t
	if os.Getenv("TMPDIR") == "" && syscall.Statfs(memory, &disk) == nil && disk.Bavail*uint64(max(disk.Bsize, 0)) >= memoryFree {
		in = memory
	}
	folder, err := os.MkdirTemp(in, "keyturn-test-")
	if err != nil && in != "" {
		folder, err = os.MkdirTemp("", "keyturn-test-")
	}
	if err != nil {
		return "", err
	}
	// PostgreSQL, which root has to run as somebody else, has its own folder inside: others
	// may pass through, and not look.
	if err := os.Chmod(folder, 0o711); err != nil {
		return "", errors.Join(err, os.RemoveAll(folder))
	}
	return folder, nil
}
