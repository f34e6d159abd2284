#!/bin/sh
# nbis-py 0.1.3 and nbis-python 0.1.21 are two distributions of one module, `nbis`, and neither declares the other. pip
# installs the second over the first without a word: nbis-py's extractor is hidden behind a package inside the other's.
# Removing the second again takes nbis-py's `__init__.py` with it: pip lists nbis-py and finds nothing broken, and
# `import nbis` succeeds with nothing in it.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
pip="venv/bin/pip --disable-pip-version-check"
$pip install --quiet "nbis-py==0.1.3" 2>/dev/null
cat > names.py <<'PY'
import nbis
print(" ".join(sorted(name for name in vars(nbis) if not name.startswith("_"))) or "nothing")
PY
before=$(venv/bin/python -B names.py)
echo "nbis-py alone: $before"
$pip install --quiet "nbis-python==0.1.21" 2>/dev/null
said=$($pip check)
echo "both installed, pip check: $said"
$pip uninstall --quiet --yes nbis-python 2>/dev/null
left=$($pip list --format freeze 2>/dev/null | grep -i '^nbis')
checked=$($pip check)
after=$(venv/bin/python -B names.py)
echo "nbis-python removed, pip lists: $left; pip check: $checked; import nbis gives: $after"
case " $before " in *" NbisExtractor "*) ;; *) exit 1 ;; esac
[ "$said" = "No broken requirements found." ] && [ "$checked" = "$said" ]
[ "$left" = "nbis-py==0.1.3" ] && [ "$after" = "nothing" ]
