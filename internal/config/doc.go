// Package config reads the settings, once, at the start: flags before the environment
// before a file. It is the only reader of the environment.
//
// # Names
//
// A setting has one name everywhere, KEYTURN_ and capitals. One that holds a secret may
// be given as KEYTURN_…_FILE instead: the path of a file with the value in it, whose
// last line break does not count. A source that is asked first hides the later ones,
// whichever of the two forms they use; both forms in one source are an error. So are a
// name that nobody knows (except KEYTURN_TEST_…, which are the test suite's own), an
// empty value, and a value that cannot be meant.
//
// # The file
//
// Lines of KEYTURN_NAME=value in UTF-8, blank lines, and comments: lines that begin
// with #. A value is the rest of its line, spaces around it dropped, with no quotation
// marks around it and no comment behind it. A name stands once. A path in it that is
// not absolute begins at the file's folder. [Template] is such a file.
//
// # Errors
//
// All that is wrong is said at once, one line each: the name, what is wrong, and an
// example of right. No value is ever repeated, because a slip of the pen puts a
// password anywhere.
package config
