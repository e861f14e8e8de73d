package stackhop

// NoteSize is how many bytes NoteFaults has room for.
const NoteSize = 512
