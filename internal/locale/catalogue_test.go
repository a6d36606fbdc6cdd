package locale_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"
)

// use is one place that says a message: with which values, where known.
type use struct {
	place string
	key   string
	// names are the values' names; nil where the place does not show them.
	names []string
}

var placeholder = regexp.MustCompile(`\{\{\.(\w+)\}\}`)

// messages reads the catalogue: the names of the values that each message wants.
func messages(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string]any{}
	for _, raw := range files(t) {
		if err := json.Unmarshal(raw, &all); err != nil {
			t.Fatal(err)
		}
	}
	wants := map[string][]string{}
	for key, message := range all {
		names := map[string]bool{}
		switch m := message.(type) {
		case string:
			gather(names, m)
		case map[string]any:
			names["Count"] = true
			if m["one"] == nil || m["other"] == nil || len(m) != 2 {
				t.Errorf("%s: English has the plural forms one and other", key)
			}
			for _, form := range m {
				if s, ok := form.(string); ok {
					gather(names, s)
				}
			}
		default:
			t.Errorf("%s is neither a sentence nor its plural forms", key)
		}
		wants[key] = slices.Sorted(maps.Keys(names))
	}
	return wants
}

// files are the files of the catalogue.
func files(t *testing.T) (all [][]byte) {
	t.Helper()
	names, err := filepath.Glob("en-AU/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d files: %v", len(names), err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(filepath.Clean(name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, raw)
	}
	return all
}

func gather(names map[string]bool, sentence string) {
	for _, m := range placeholder.FindAllStringSubmatch(sentence, -1) {
		names[m[1]] = true
	}
}

// Every key that a template or the Go code says is in the catalogue, gets the values
// that it wants and no others; and every key of the catalogue is said somewhere.
func TestEveryWordIsInTheCatalogueAndEveryMessageIsSaid(t *testing.T) {
	t.Parallel()
	wants := messages(t)
	said := map[string]bool{}
	for _, u := range slices.Concat(inTemplates(t), inCode(t), ofEvents(t)) {
		want, ok := wants[u.key]
		if !ok {
			t.Errorf("%s: the catalogue has no message %q", u.place, u.key)
			continue
		}
		said[u.key] = true
		if u.names != nil && !slices.Equal(u.names, want) {
			t.Errorf("%s: message %q wants the values %v and gets %v", u.place, u.key, want, u.names)
		}
	}
	for key := range wants {
		if !said[key] {
			t.Errorf("nothing says the message %q", key)
		}
	}
	if len(said) < 100 {
		t.Errorf("only %d messages were found: the walk has gone astray", len(said))
	}
}

func TestTheCatalogueIsWellWritten(t *testing.T) {
	t.Parallel()
	raw := bytes.Join(files(t), []byte("\n"))
	for bad, why := range map[string]string{
		"Error:": "say what happened", "Oops": "say what happened", "nvalid": "say what to do", "!\"": "no exclamation marks",
		" - ": "use a full stop", "  \"\"": "a message is empty", "username": "the word is email", "ID ": "say what it is",
	} {
		if strings.Contains(string(raw), bad) {
			t.Errorf("the catalogue holds %q: %s", bad, why)
		}
	}
	if strings.Count(string(raw), "**")%2 != 0 {
		t.Error("a pair of stars is not closed")
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  "([^"]+)":`).FindAllStringSubmatch(string(raw), -1) {
		if seen[m[1]] {
			t.Errorf("the key %q is there twice", m[1])
		}
		seen[m[1]] = true
	}
}

// Words in a template would escape the catalogue: a text between tags, or an
// attribute that is read aloud, comes from a message or from the page.
func TestNoTemplateHoldsWordsOfItsOwn(t *testing.T) {
	t.Parallel()
	tags := regexp.MustCompile(`(?s)<[^>]*>`)
	letters := regexp.MustCompile(`\pL+`)
	aloud := regexp.MustCompile(`(?:aria-label|alt|title|placeholder)="[^"]*\pL`)
	for file, text := range templates(t) {
		bare := regexp.MustCompile(`(?s)\{\{.*?\}\}`).ReplaceAllString(text, "")
		if found := aloud.FindString(bare); found != "" {
			t.Errorf("%s: %s", file, found)
		}
		if found := letters.FindAllString(tags.ReplaceAllString(bare, " "), -1); len(found) > 0 {
			t.Errorf("%s: the words %q", file, found)
		}
	}
}

// templates reads every page of the product.
func templates(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	walk(t, "../web", ".html", func(path string, text []byte) { found[path] = string(text) })
	if len(found) < 10 {
		t.Fatalf("only %d templates were found", len(found))
	}
	return found
}

func walk(t *testing.T, root, ending string, visit func(path string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ending) {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil {
			visit(path, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// inTemplates finds {{say "key" "Name" …}} and {{rich …}}, however deep.
func inTemplates(t *testing.T) []use {
	t.Helper()
	var uses []use
	for file, text := range templates(t) {
		tree := parse.New(file)
		tree.Mode = parse.SkipFuncCheck
		set := map[string]*parse.Tree{}
		if _, err := tree.Parse(text, "", "", set); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		for _, one := range set {
			descend(one.Root, func(c *parse.CommandNode) { uses = append(uses, ofCommand(file, c)...) })
		}
	}
	return uses
}

func ofCommand(file string, c *parse.CommandNode) []use {
	name, ok := c.Args[0].(*parse.IdentifierNode)
	if !ok || name.Ident != "say" && name.Ident != "rich" || len(c.Args) < 2 {
		return nil
	}
	key, ok := c.Args[1].(*parse.StringNode)
	if !ok {
		return nil // the key comes from the page, where inCode sees it
	}
	u := use{place: file, key: key.Text, names: []string{}}
	for i := 2; i < len(c.Args); i += 2 {
		if value, ok := c.Args[i].(*parse.StringNode); ok {
			u.names = append(u.names, value.Text)
		}
	}
	slices.Sort(u.names)
	return []use{u}
}

// descend visits every command of a template.
func descend(node parse.Node, visit func(*parse.CommandNode)) {
	branch := func(b *parse.BranchNode) {
		descend(b.Pipe, visit)
		descend(b.List, visit)
		if b.ElseList != nil {
			descend(b.ElseList, visit)
		}
	}
	switch n := node.(type) {
	case *parse.ListNode:
		for _, one := range n.Nodes {
			descend(one, visit)
		}
	case *parse.ActionNode:
		descend(n.Pipe, visit)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			descend(n.Pipe, visit)
		}
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			descend(c, visit)
		}
	case *parse.CommandNode:
		visit(n)
		for _, arg := range n.Args {
			descend(arg, visit)
		}
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	}
}

// inCode finds the constants of this package in the Go code of the product, and the
// values that a call beside them gives.
func inCode(t *testing.T) []use {
	t.Helper()
	constants := constantsOf(t)
	var uses []use
	for _, root := range []string{"../../internal", "../../cmd"} {
		if _, err := os.Stat(root); err != nil {
			continue
		}
		walk(t, root, ".go", func(path string, text []byte) {
			if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "locale/keys.go") {
				return
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
			if err != nil {
				return // whoever is writing it hears that from the compiler
			}
			own := file.Name.Name == "locale"
			ast.Inspect(file, func(n ast.Node) bool {
				uses = append(uses, ofNode(path, n, own, constants)...)
				return true
			})
		})
	}
	return uses
}

// ofEvents are the sentences of the audit trail, one for each kind in the vocabulary of
// package audit, whose key is made of the kind: "code.sent" is said by trail.kind.code-sent.
// A kind without words fails here, and so do words without a kind.
func ofEvents(t *testing.T) (uses []use) {
	t.Helper()
	kind := regexp.MustCompile(`\bKind\s*= "([^"]+)"`)
	walk(t, "../audit", ".go", func(path string, text []byte) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, m := range kind.FindAllStringSubmatch(string(text), -1) {
			uses = append(uses, use{place: path, key: "trail.kind." + strings.ReplaceAll(m[1], ".", "-")})
		}
	})
	if len(uses) < 60 {
		t.Errorf("only %d kinds of events were found: the walk has gone astray", len(uses))
	}
	return uses
}

// What a sentence of the trail may say is what every event has.
func TestTheSentencesOfTheTrailTakeWhatEveryEventHas(t *testing.T) {
	t.Parallel()
	for key, names := range messages(t) {
		if !strings.HasPrefix(key, "trail.kind.") {
			continue
		}
		for _, name := range names {
			if !slices.Contains([]string{"Who", "Whom", "Method", "Number", "Group", "Date"}, name) {
				t.Errorf("%s wants %s, which an event does not have", key, name)
			}
		}
	}
}

// constantsOf reads keys.go: the key of each constant.
func constantsOf(t *testing.T) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("keys.go")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+)\s+Key = ("[^"]+")`).FindAllStringSubmatch(string(raw), -1) {
		key, err := strconv.Unquote(m[2])
		if err != nil {
			t.Fatal(err)
		}
		keys[m[1]] = key
	}
	return keys
}

func ofNode(path string, n ast.Node, own bool, constants map[string]string) []use {
	if call, ok := n.(*ast.CallExpr); ok && len(call.Args) > 0 && isSay(call.Fun) {
		if key, ok := constants[constantOf(call.Args[0], own)]; ok {
			return []use{{path, key, namesOf(call.Args[1:])}}
		}
		return nil
	}
	if e, ok := n.(ast.Expr); ok {
		if key, ok := constants[constantOf(e, own)]; ok {
			return []use{{path, key, nil}}
		}
	}
	return nil
}

func isSay(f ast.Expr) bool {
	name := ""
	switch f := f.(type) {
	case *ast.SelectorExpr:
		name = f.Sel.Name
	case *ast.Ident:
		name = f.Name
	}
	return name == "Say" || name == "Rich"
}

// constantOf names the constant of this package that an expression is, if it is one.
func constantOf(e ast.Expr, own bool) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		if pkg, ok := e.X.(*ast.Ident); ok && pkg.Name == "locale" {
			return e.Sel.Name
		}
	case *ast.Ident:
		if own {
			return e.Name
		}
	}
	return ""
}

// namesOf reads the names of a locale.Data literal; nil if it is something else.
func namesOf(args []ast.Expr) []string {
	names := []string{}
	if len(args) == 0 {
		return names
	}
	literal, ok := args[0].(*ast.CompositeLit)
	if !ok {
		return nil
	}
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			return nil
		}
		name, ok := pair.Key.(*ast.BasicLit)
		if !ok {
			return nil
		}
		text, err := strconv.Unquote(name.Value)
		if err != nil {
			return nil
		}
		names = append(names, text)
	}
	slices.Sort(names)
	return names
}
