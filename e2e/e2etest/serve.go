package e2etest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Product is one installation of the product: a database, keys, settings, and at times the
// processes that serve it: one on SQLite, and on PostgreSQL three behind one address, so
// that what somebody begins at one node goes on at another. It is configured and used as
// an operator would: by settings and commands.
type Product struct {
	// URL is where it answers, without a slash at the end. It stays the same over
	// restarts.
	URL string
	// Folder holds the keys and whatever a test writes.
	Folder string

	env   map[string]string
	nodes []node
	front *front // where there are several nodes
	log   journal
}

// node is one process that serves.
type node struct {
	addr  string
	cmd   *exec.Cmd // nil while it does not run
	ended chan error
}

// NewProduct makes keys for a database and settles on a port. Nothing runs yet, and
// the database is not touched.
func NewProduct(t testing.TB, databaseURL string) *Product {
	t.Helper()
	addr := FreeAddr(t)
	p := &Product{URL: "http://" + addr, Folder: t.TempDir()}
	p.env = map[string]string{
		"KEYTURN_DATABASE_URL": databaseURL,
		"KEYTURN_PUBLIC_URL":   p.URL,
		"KEYTURN_ADDR":         addr,
		"KEYTURN_KEYS_FILE":    filepath.Join(p.Folder, "keyturn.keys"),
		"KEYTURN_MAIL_FROM":    "no-reply@vendor.example",
		"KEYTURN_SMTP_URL":     "smtp://127.0.0.1:9?tls=none", // discard: nobody listens there
		"KEYTURN_REAL_DOMAINS": "example",
		// Each Visitor says its own network, as a proxy before the product would.
		"KEYTURN_TRUSTED_PROXIES": "127.0.0.1/32",
	}
	p.nodes = []node{{addr: addr}}
	if !p.OnSQLite() {
		p.nodes = []node{{addr: FreeAddr(t)}, {addr: FreeAddr(t)}, {addr: FreeAddr(t)}}
	}
	p.MustRun(t, "init", p.Folder)
	t.Cleanup(func() { p.end(t) })
	return p
}

// Set gives a setting a value for what is started from now on; an empty one takes it
// away.
func (p *Product) Set(name, value string) {
	if value == "" {
		delete(p.env, name)
		return
	}
	p.env[name] = value
}

// Get is the value of a setting.
func (p *Product) Get(name string) string { return p.env[name] }

// OnSQLite says whether the product's database is a file.
func (p *Product) OnSQLite() bool {
	return strings.HasPrefix(p.Get("KEYTURN_DATABASE_URL"), "sqlite:")
}

// Start serves, and returns when every node says that it is ready.
func (p *Product) Start(t testing.TB, args ...string) {
	t.Helper()
	for i := range p.nodes {
		p.launch(t, &p.nodes[i], args...)
	}
	if len(p.nodes) > 1 {
		addrs := make([]string, len(p.nodes))
		for i := range p.nodes {
			addrs[i] = p.nodes[i].addr
		}
		p.front = startFront(t, p.env["KEYTURN_ADDR"], addrs)
	}
	for i := range p.nodes {
		p.await(t, &p.nodes[i])
	}
}

// Nodes is how many processes serve: three on PostgreSQL, one on SQLite.
func (p *Product) Nodes() int { return len(p.nodes) }

// NodeURL is where one node answers by itself, without what stands before the nodes.
func (p *Product) NodeURL(n int) string { return "http://" + p.nodes[n].addr }

func (p *Product) launch(t testing.TB, n *node, args ...string) {
	t.Helper()
	// The test's context ends before its clean-up, where the process is asked to end well.
	cmd := p.command(context.WithoutCancel(t.Context()), t, append([]string{"serve"}, args...))
	cmd.Env = append(cmd.Env, "KEYTURN_ADDR="+n.addr)
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start the product: %v", err)
	}
	ended := make(chan error, 1)
	n.cmd, n.ended = cmd, ended
	go func() { ended <- cmd.Wait() }()
}

func (p *Product) await(t testing.TB, n *node) {
	t.Helper()
	Until(t, "the product to be ready", func() bool {
		select {
		case err := <-n.ended:
			n.cmd = nil
			t.Fatalf("the product ended instead of serving: %v\n%s", err, p.Log())
		default:
		}
		return ready(t, "http://"+n.addr)
	})
}

func ready(t testing.TB, url string) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := plainClient.Do(r)
	if err != nil {
		return false
	}
	_ = w.Body.Close()
	return w.StatusCode == http.StatusOK
}

// Stop asks the processes to end, which they must do well.
func (p *Product) Stop(t testing.TB) {
	t.Helper()
	for _, n := range p.nodes {
		if n.cmd != nil {
			_ = n.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		}
	}
	for i := range p.nodes {
		p.nodes[i].awaitEnd(t)
	}
	p.closeFront(t)
}

func (n *node) awaitEnd(t testing.TB) {
	t.Helper()
	if n.cmd == nil {
		return
	}
	select {
	case err := <-n.ended:
		if err != nil {
			t.Errorf("the product did not end well: %v", err)
		}
	case <-time.After(Patience):
		_ = n.cmd.Process.Kill()
		t.Errorf("the product did not end in %s", Patience)
	}
	n.cmd = nil
}

// Kill ends the processes at once, as a power cut would: kill -9.
func (p *Product) Kill(t testing.TB) {
	t.Helper()
	for i := range p.nodes {
		p.KillNode(t, i)
	}
	p.closeFront(t)
}

// KillNode ends one process at once. The others go on, and what stands before them passes
// it over.
func (p *Product) KillNode(t testing.TB, i int) {
	t.Helper()
	n := &p.nodes[i]
	if err := n.cmd.Process.Kill(); err != nil {
		t.Fatalf("kill the product: %v", err)
	}
	if err := <-n.ended; err == nil {
		t.Error("the product ended by itself before it was killed")
	}
	n.cmd = nil
}

// StartNode starts a process that was killed or stopped again, and returns when it is ready.
func (p *Product) StartNode(t testing.TB, i int, args ...string) {
	t.Helper()
	p.launch(t, &p.nodes[i], args...)
	p.await(t, &p.nodes[i])
}

func (p *Product) closeFront(t testing.TB) {
	t.Helper()
	if p.front == nil {
		return
	}
	if err := p.front.close(); err != nil {
		t.Errorf("close what stands before the nodes: %v", err)
	}
	p.front = nil
}

// Restart stops and starts again.
func (p *Product) Restart(t testing.TB) {
	t.Helper()
	p.Stop(t)
	p.Start(t)
}

func (p *Product) end(t testing.TB) {
	t.Helper()
	p.Stop(t)
	if t.Failed() {
		said := p.Log()
		t.Logf("what the product said at last:\n%s", said[max(0, len(said)-4<<10):])
	}
}

// Log is everything that the processes have said so far.
func (p *Product) Log() string { return p.log.String() }

// Said is how a command ended.
type Said struct {
	Code     int
	Out, Err string
}

// Run runs a command of the program with the product's settings.
func (p *Product) Run(t testing.TB, args ...string) Said {
	t.Helper()
	Binary(t) // built first: the time below is the command's own
	// Nothing that a test asks for once may hang: a server that should have refused.
	ctx, cancel := context.WithTimeout(t.Context(), 2*Patience)
	defer cancel()
	cmd := p.command(ctx, t, args)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatalf("keyturn %s: %v", strings.Join(args, " "), err)
	}
	return Said{Code: cmd.ProcessState.ExitCode(), Out: out.String(), Err: errOut.String()}
}

// MustRun is Run for a command that must succeed, and gives what it printed.
func (p *Product) MustRun(t testing.TB, args ...string) string {
	t.Helper()
	said := p.Run(t, args...)
	if said.Code != 0 {
		t.Fatalf("keyturn %s ended with %d:\n%s%s", strings.Join(args, " "), said.Code, said.Out, said.Err)
	}
	return said.Out
}

// Start starts a program of others, which ends with the test, and gives what it said at last.
func Start(tb testing.TB, cmd *exec.Cmd) (log func() string) {
	tb.Helper()
	var said tail
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = Patience
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start %s: %v", cmd.Path, err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }() // its context ends with the test
	tb.Cleanup(func() { <-ended })
	return said.String
}

func (p *Product) command(ctx context.Context, t testing.TB, args []string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(ctx, Binary(t), args...)
	cmd.Dir = p.Folder
	cmd.Env = slices.DeleteFunc(os.Environ(), func(line string) bool {
		return strings.HasPrefix(line, "KEYTURN_") && !strings.HasPrefix(line, "KEYTURN_TEST_")
	})
	for _, name := range slices.Sorted(maps.Keys(p.env)) {
		cmd.Env = append(cmd.Env, name+"="+p.env[name])
	}
	return cmd
}

// Within is Until with a patience of its own, for what the product does in its own time.
func Within(t testing.TB, patience time.Duration, what string, done func() bool) {
	t.Helper()
	if !asks(patience, done) {
		t.Fatalf("waited %s for %s", patience, what)
	}
}

// givenAddrs are those that were given to somebody in this run.
var givenAddrs sync.Map

// FreeAddr is an address of this machine on which nobody listens. The port is below
// those that the system gives to outgoing connections, so that it is free after a
// restart, too.
func FreeAddr(t testing.TB) string {
	t.Helper()
	for range 100 {
		above, err := rand.Int(rand.Reader, big.NewInt(18000))
		if err != nil {
			t.Fatal(err)
		}
		addr := fmt.Sprintf("127.0.0.1:%d", 12000+above.Int64())
		if _, given := givenAddrs.LoadOrStore(addr, true); given {
			continue // somebody who has it may not listen yet, or not at this moment
		}
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr)
		if err != nil {
			continue
		}
		_ = l.Close()
		return addr
	}
	t.Fatal("no port is free")
	return ""
}

// journal keeps all that a process says.
type journal struct {
	mu   sync.Mutex
	said bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.said.Write(b)
}

// String is what was said so far.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.said.String()
}
