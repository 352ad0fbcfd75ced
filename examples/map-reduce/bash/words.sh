# Counts the words of a library's Python files: the message's subject says which step of the job this is.
# Every step may be done again, or twice at once: it writes the same file, beside the others and then into place.
set -euo pipefail
# Letters are those of ASCII, and words are in the order of their bytes, wherever this runs.
export LC_ALL=C

# A value of the message; the texts among those that are asked for hold no quotes and no commas.
field() {
  printf '%s\n' "$Message" | sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\).*/\1/p"
}

# Notes which files there are, and has them counted; a retry takes the list as it was, for the same parts.
start() {
  if [ ! -e "$here/files" ]; then
    library_files "$(field library)" >"$unfinished"
    mv "$unfinished" "$here/files"
  fi
  total=$(wc -l <"$here/files")
  each=$(field files_per_part)
  for ((first = 1; first <= total; first += each)); do
    last=$((first + each - 1))
    printf '{"first": %d, "last": %d}\n' "$first" "$((last < total ? last : total))"
  done >"$TMPDIR/parts"
  parts=$(wc -l <"$TMPDIR/parts")
  watchbot-progress map-reduce "$job" -t "$parts" -m "{\"parts\": $parts}" <"$TMPDIR/parts"
}

# Counts the words of one part's files; a file that is gone fails the job.
count() {
  part=$(field partid)
  sed -n "$(field first),$(field last)p" "$here/files" >"$TMPDIR/files"
  while IFS= read -r file; do
    if [ ! -e "$file" ]; then
      watchbot-progress fail-job "$job" -r "part $part: there is no $file"
      exit 3
    fi
  done <"$TMPDIR/files"
  words <"$TMPDIR/files" | sort | uniq -c | ranked >"$unfinished"
  mv "$unfinished" "$here/part-$part"
  echo "part $part is counted"
  watchbot-progress complete-part "$job" -p "$part" --reduce
}

# Puts the counts of all parts together; without one of them the sum would be wrong.
add_up() {
  parts=$(field parts)
  for ((part = 1; part <= parts; part++)); do
    if [ ! -e "$here/part-$part" ]; then
      echo "the counts of part-$part are lost" >&2
      exit 1
    fi
    cat "$here/part-$part"
  done >"$TMPDIR/counts"
  echo "all parts are counted"
  ranked <"$TMPDIR/counts" >"$unfinished"
  mv "$unfinished" "$here/words"
}

library_files() {
  find "$1" -mindepth 1 -type d \( -name site-packages -o -name dist-packages -o -name test -o -name tests \) -prune \
    -o -type f -name '*.py' -print | sort
}

words() {
  while IFS= read -r file; do
    cat "$file"
    echo
  done | tr -cs 'A-Za-z' '\n' | tr 'A-Z' 'a-z' | sed '/^$/d'
}

# Adds up lines of a number and a word, most frequent words first.
ranked() {
  awk '{ times[$2] += $1 } END { for (word in times) print times[word], word }' | sort -k 1,1nr -k 2
}

case $Subject in
  start-job) job=$MessageId ;;
  *) job=$(field jobid) ;;
esac
here=$RESULTS/$job
mkdir -p "$here"
unfinished=$(mktemp "$here/.XXXXXX")
trap 'rm -f "$unfinished"' EXIT
case $Subject in
  start-job) start ;;
  map) count ;;
  reduce) add_up ;;
esac
