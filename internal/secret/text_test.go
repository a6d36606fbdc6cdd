package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"keyturn/internal/secret"
)

const loud = "correct-horse-battery-90210"

// holder has a text where fmt calls no methods.
type holder struct {
	inner secret.Text
	list  []secret.Text
	to    *secret.Text
}

// shown has it where encoders look.
type shown struct {
	Password secret.Text
	List     []secret.Text
}

func TestATextDoesNotPrintItself(t *testing.T) {
	t.Parallel()
	text := secret.NewText(loud)
	list := []secret.Text{text}
	values := map[string]any{
		"the text":            text,
		"a pointer to it":     &text,
		"a list":              list,
		"a map":               map[string]secret.Text{"a": text},
		"an unexported field": holder{inner: text, list: list, to: &text},
		"a pointer to that":   &holder{inner: text, list: list, to: &text},
		"an exported field":   shown{Password: text, List: list},
		"an interface":        []any{text, &text},
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c", "%p", "%t", "%T", "%10.3s", "%w"} {
			quiet(t, name+" with "+verb, fmt.Sprintf(verb, v))
		}
		quiet(t, name+" printed", fmt.Sprintln(v))
		quiet(t, name+" in an error", fmt.Errorf("sign in: %w: %v", errors.New("no"), v).Error())
		var plain, coded bytes.Buffer
		slog.New(slog.NewTextHandler(&plain, nil)).InfoContext(t.Context(), "m", slog.Any("v", v))
		slog.New(slog.NewJSONHandler(&coded, nil)).InfoContext(t.Context(), "m", slog.Any("v", v), slog.Group("g", slog.Any("v", v)))
		quiet(t, name+" in a log", plain.String())
		quiet(t, name+" in a JSON log", coded.String())
		raw, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%s in JSON: %v", name, err)
		}
		quiet(t, name+" in JSON", string(raw))
	}
	raw, err := xml.Marshal(shown{Password: text})
	if err != nil || !strings.Contains(string(raw), "[secret]") {
		t.Errorf("XML is %s, %v", raw, err)
	}
	quiet(t, "XML", string(raw))
}

// quiet fails when the text, or a coded form of it, can be read.
func quiet(t *testing.T, where, said string) {
	t.Helper()
	for _, form := range []string{loud, fmt.Sprintf("%x", loud), fmt.Sprintf("%X", loud), loud[:8]} {
		if strings.Contains(said, form) {
			t.Errorf("%s: the secret is in %q", where, said)
		}
	}
}

func TestATextSaysThatItIsSecret(t *testing.T) {
	t.Parallel()
	for _, text := range []secret.Text{{}, secret.NewText(""), secret.NewText(loud)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if said := fmt.Sprintf(verb, text); said != "[secret]" {
				t.Errorf("%s gives %q", verb, said)
			}
		}
		if text.String() != "[secret]" || text.GoString() != "[secret]" || text.LogValue().String() != "[secret]" {
			t.Error("a method gives something else")
		}
		raw, err := json.Marshal(text)
		if err != nil || string(raw) != `"[secret]"` {
			t.Errorf("JSON is %s, %v", raw, err)
		}
		raw, err = text.MarshalText()
		if err != nil || string(raw) != "[secret]" {
			t.Errorf("text is %s, %v", raw, err)
		}
	}
}

func TestATextIsRevealedAndCompared(t *testing.T) {
	t.Parallel()
	if got := secret.NewText(loud).Reveal(); got != loud {
		t.Errorf("revealed %q", got)
	}
	if got := (secret.Text{}).Reveal(); got != "" {
		t.Errorf("the zero value is %q", got)
	}
	rows := map[string]struct {
		a, b secret.Text
		same bool
	}{
		"the same words":      {secret.NewText("a b"), secret.NewText("a b"), true},
		"empty and zero":      {secret.NewText(""), secret.Text{}, true},
		"other words":         {secret.NewText("a b"), secret.NewText("a c"), false},
		"a longer one":        {secret.NewText("a b"), secret.NewText("a b "), false},
		"one against nothing": {secret.NewText("a"), secret.Text{}, false},
	}
	for name, row := range rows {
		if row.a.Equal(row.b) != row.same || row.b.Equal(row.a) != row.same {
			t.Errorf("%s: equal is not %v", name, row.same)
		}
	}
}

func TestKeysDoNotPrintThemselves(t *testing.T) {
	t.Parallel()
	keys := memory(t)
	type in struct{ Keys *secret.Keys }
	for _, v := range []any{keys, *keys, in{keys}} {
		for _, verb := range []string{"%v", "%+v", "%s", "%q", "%x"} {
			if said := fmt.Sprintf(verb, v); strings.Contains(said, "PRIVATE") || len(said) > 40 {
				t.Errorf("%s prints %q", verb, said)
			}
		}
		raw, err := json.Marshal(v)
		if err != nil || !strings.Contains(string(raw), "[secret]") {
			t.Errorf("JSON is %s, %v", raw, err)
		}
	}
	if said := fmt.Sprintf("%#v", keys); said != "[secret]" {
		t.Errorf("%%#v prints %q", said)
	}
}
