package gate

import "testing"

func TestAPathThatCanBeReadInTwoWaysIsRefused(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/jobs", "/jobs/7/", "/a%20b", "/caf%C3%A9?q=%2f..;\\", "/.well-known/x", "/a..b/c", "/x?", "/a+b@c"} {
		if !plainPath([]string{path}) {
			t.Errorf("%q is refused", path)
		}
	}
	for _, path := range []string{
		"", "jobs", "//", "/a//b", "/./a", "/a/..", "/a/../b", "/%2e/a", "/a/%2e%2E/b", "/a%2fb", "/a%2Fb", `/a\b`, "/a%5cb", "/a;b=c", "/;/a", "/a%3bb",
		"/%2561", "/a%00", "/a%0d%0a", "/a%", "/a%zz", "/a%7f", "/a%ff", "http://old.example/a", "/a%25",
	} {
		if plainPath([]string{path}) {
			t.Errorf("%q passes", path)
		}
	}
	if plainPath(nil) || plainPath([]string{"/", "/"}) {
		t.Error("none, or two, is one")
	}
}

func TestSomebodyComesBackToTheOriginAlone(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{
		"/a?b=c%20d&e": "/a?b=c%20d&e", "//evil.example": "//evil.example", "": "/", "evil": "/", "@evil": "/", `/\evil`: "/", "/a\nb": "/", "/a b": "/",
		"/.keyturn/begin?to=/": "/", "/é": "/",
	} {
		if got := local(to); got != want {
			t.Errorf("%q leads to %q", to, got)
		}
	}
}

func TestAHeaderHoldsAnyText(t *testing.T) {
	t.Parallel()
	if got := plain("Zoë\r\nX: 100%"); got != "Zo%C3%AB%0D%0AX: 100%25" {
		t.Errorf("%q", got)
	}
}
