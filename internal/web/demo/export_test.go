package demo

// CodeIn finds the code of a subject.
var CodeIn = codeIn
