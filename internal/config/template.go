package config

import "strings"

const templateHead = `# Settings of Keyturn.
#
# One KEYTURN_NAME=value a line, without quotation marks; a line that begins with # is a
# comment. A flag goes before a variable of the same name in the environment, and that
# before this file. A secret may be in a file of its own: KEYTURN_SMTP_URL_FILE=/path.
# A path that is not absolute begins at this file's folder.
`

// Template is a configuration file with every setting in it and a word on each: what a
// first try on one machine needs is set, the rest is commented out.
func Template() string {
	var b strings.Builder
	b.WriteString(templateHead)
	for _, s := range settings() {
		b.WriteString("\n")
		for line := range strings.Lines(s.about) {
			b.WriteString("# " + strings.TrimSuffix(line, "\n") + "\n")
		}
		if s.fallback != "" {
			b.WriteString("# Default: " + s.fallback + "\n")
		}
		if s.start != "" {
			b.WriteString(s.name + "=" + s.start + "\n")
			continue
		}
		b.WriteString("#" + s.name + "=" + s.example + "\n")
	}
	return b.String()
}
