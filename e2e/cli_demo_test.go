package e2e_test

import (
	"bufio"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"keyturn/e2e/e2etest"
)

func TestADemoAnswersThisMachineOnly(t *testing.T) {
	t.Parallel()
	demo := e2etest.StartDemo(t)
	ask := func(change func(r *http.Request)) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, demo.URL+"/signin", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = w.Body.Close()
		return w.StatusCode
	}
	if got := ask(func(*http.Request) {}); got != http.StatusOK {
		t.Fatalf("the demo answers %d on this machine", got)
	}
	for _, host := range []string{"evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"} {
		if got := ask(func(r *http.Request) { r.Host = host }); got != http.StatusForbidden {
			t.Errorf("asked as %s the demo answers %d", host, got)
		}
	}
	for _, header := range []string{
		"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via", "Cf-Connecting-Ip", "True-Client-Ip",
	} {
		if got := ask(func(r *http.Request) { r.Header.Set(header, "203.0.113.9") }); got != http.StatusForbidden {
			t.Errorf("asked with %s the demo answers %d", header, got)
		}
	}
}

func TestADemosFolderIsServedByTheDemoAlone(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "demo")
	demo := exec.CommandContext(t.Context(), e2etest.Binary(t), "demo", "--json", "--addr", "127.0.0.1:0", "--data", folder)
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, `"url"`) {
		t.Fatalf("the demo was not ready: %q, %v", line, err)
	}
	_ = demo.Process.Signal(syscall.SIGTERM)
	if err := demo.Wait(); err != nil {
		t.Errorf("the demo did not end well: %v", err)
	}

	p := e2etest.NewProduct(t, "sqlite:"+filepath.Join(folder, "keyturn.db"))
	file := e2etest.WriteRoster(t, []e2etest.Row{{Email: "new@bayside.example"}})
	for _, args := range [][]string{{"serve"}, {"serve", "--migrate"}, {"import", file}} {
		refused(t, p.Run(t, args...), 1, "keyturn demo")
	}

	// And a demo does not take a folder that is not its own.
	serious := e2etest.NewProduct(t, "sqlite:"+filepath.Join(t.TempDir(), "keyturn.db"))
	serious.MustRun(t, "migrate", "up")
	url, _ := strings.CutPrefix(serious.Get("KEYTURN_DATABASE_URL"), "sqlite:")
	said := serious.Run(t, "demo", "--addr", "127.0.0.1:0", "--data", filepath.Dir(url))
	if said.Code == 0 || said.Code > 2 || !strings.Contains(said.Err, "demo") {
		t.Errorf("a demo on an earnest folder ended with %d:\n%s", said.Code, said.Err)
	}
}
