package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"syscall"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/demo"
	"keyturn/internal/secret"
)

const (
	// demoAddr and exampleAddr are the defaults, which give way to another port.
	demoAddr    = "127.0.0.1:8080"
	exampleAddr = "127.0.0.1:8090"
	// exampleTime is how long the product beside the demo may take to answer, and to end.
	exampleTime = 10 * time.Second
)

// listenNear listens on an address. Where that is the default and something listens there
// already, it is another port of the same host.
func listenNear(ctx context.Context, addr, usual string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) && addr == usual {
		host, _, _ := net.SplitHostPort(addr) // the default has both
		l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}

// demoProduct is what stands beside the demo: its applications, and a product that runs.
type demoProduct struct {
	clients []demo.Application
	// url is where the product answers; empty: none runs.
	url string
	// stop ends it.
	stop func() error
}

// product registers the demo's applications, and runs the product that was named.
func (c demoCmd) product(w *world, d *db.DB, keys *secret.Keys, public *url.URL) (p demoProduct, err error) {
	addr := c.ExampleAddr
	if c.Example != "" {
		// Its addresses are registered before it runs: the port is looked for here, and free
		// again when it takes it.
		l, err := listenNear(w.ctx, c.ExampleAddr, exampleAddr)
		if err != nil {
			return p, err
		}
		addr = l.Addr().String()
		if err := l.Close(); err != nil {
			return p, fmt.Errorf("give a port free: %w", err)
		}
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return p, fmt.Errorf("the product's address: %w", errors.Join(errUsage, err))
	}
	p.stop = func() error { return nil }
	if p.clients, err = demo.Applications(w.ctx, d, port); err != nil || c.Example == "" {
		return p, err
	}
	p.url = "http://localhost:" + port
	p.stop, err = c.start(w, keys, public, p, addr)
	return p, err
}

// start runs the product until the demo ends, and waits until it answers. Its secrets are in
// its environment and not on its command line.
func (c demoCmd) start(w *world, keys *secret.Keys, public *url.URL, p demoProduct, addr string) (stop func() error, err error) {
	ctx, cancel := context.WithCancel(w.ctx)
	web, service := p.client(demo.Product), p.client(demo.Service)
	cmd := exec.CommandContext(ctx, c.Example, //nolint:gosec // the program that was named
		"--addr", addr, "--url", p.url, "--issuer", public.String(), "--client", web.ID, "--service", service.ID, "--banner-key", keys.VerifierText())
	cmd.Env = []string{"WORKSHOP_SECRET=" + web.Secret, "WORKSHOP_SERVICE_SECRET=" + service.Secret}
	cmd.Stderr = w.err
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = exampleTime
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("start the product beside the demo: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // how it ended is no matter of the demo's
	}()
	stop = func() error { cancel(); <-ended; return nil }
	if err := answers(w.ctx, "http://"+addr+"/healthz", ended); err != nil {
		return nil, errors.Join(err, stop())
	}
	return stop, nil
}

// client is an application by its name.
func (p demoProduct) client(name string) (found demo.Application) {
	for _, a := range p.clients {
		if a.Name == name {
			found = a
		}
	}
	return found
}

// answers waits until an address answers with 200, or whoever should has ended.
func answers(ctx context.Context, at string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, exampleTime)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
		if err != nil {
			return fmt.Errorf("ask the product beside the demo: %w", err)
		}
		if got, err := http.DefaultClient.Do(r); err == nil {
			_ = got.Body.Close()
			if got.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ended:
			return errors.New("the product beside the demo ended at once")
		case <-ctx.Done():
			return fmt.Errorf("the product beside the demo does not answer: %w", ctx.Err())
		case <-again.C:
		}
	}
}
