package e2etest

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// front stands before several nodes as a balancer would: each connection goes to the next
// of them in turn, byte for byte, and a node that does not answer is passed over.
// Visitors keep no connection, so that their requests go to one node after the other.
type front struct {
	listener net.Listener
	nodes    []string
	turn     atomic.Uint64
	open     sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{} // nil once it is closed
}

// startFront listens at addr for the nodes.
func startFront(t testing.TB, addr string, nodes []string) *front {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.WithoutCancel(t.Context()), "tcp", addr)
	if err != nil {
		t.Fatalf("listen before the nodes: %v", err)
	}
	f := &front{listener: l, nodes: slices.Clone(nodes), conns: map[net.Conn]struct{}{}}
	f.open.Go(f.accept)
	return f
}

func (f *front) accept() {
	for {
		in, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.open.Go(func() { f.carry(in) })
	}
}

// carry takes what comes in to a node and what that answers back.
func (f *front) carry(in net.Conn) {
	if !f.keep(in) {
		return
	}
	defer f.drop(in)
	out := f.dial()
	if out == nil || !f.keep(out) {
		return
	}
	defer f.drop(out)
	var back sync.WaitGroup
	back.Go(func() { pipe(in, out) })
	pipe(out, in)
	back.Wait()
}

// dial connects to the node whose turn it is, or to the next that answers.
func (f *front) dial() net.Conn {
	first := f.turn.Add(1)
	for i := range uint64(len(f.nodes)) {
		addr := f.nodes[(first+i)%uint64(len(f.nodes))]
		if conn, err := (&net.Dialer{}).Dial("tcp", addr); err == nil {
			return conn
		}
	}
	return nil
}

// pipe copies until one of the ends has said all, and tells the other.
func pipe(to, from net.Conn) {
	_, err := io.Copy(to, from)
	half, ok := to.(*net.TCPConn)
	if err != nil || !ok {
		_ = to.Close() // broken off: the other side shall know
		return
	}
	_ = half.CloseWrite()
}

func (f *front) keep(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conns == nil {
		_ = c.Close()
		return false
	}
	f.conns[c] = struct{}{}
	return true
}

func (f *front) drop(c net.Conn) {
	_ = c.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
}

// close breaks every connection off and waits until nothing of it runs.
func (f *front) close() error {
	err := f.listener.Close()
	f.mu.Lock()
	for c := range f.conns {
		err = errors.Join(err, c.Close())
	}
	f.conns = nil
	f.mu.Unlock()
	f.open.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
