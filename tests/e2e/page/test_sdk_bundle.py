"""The SDK as one file: small, typed, and without the face, which comes when it is wanted."""

import gzip
import re
import subprocess

import pytest

from tests.e2e.page.stand_in import WEB_CLIENT

pytestmark = pytest.mark.e2e

TSC = WEB_CLIENT / "node_modules" / ".bin" / "tsc"
APP = """
import {PresenciaCall} from "%s";
const call = document.querySelector("presencia-call")!;
call.addEventListener("presencia-transcript", ({detail}) => {
  const text: string = detail.line.text;
  console.log(text);
});
call.registerTool("paint", {description: "Paints."}, ({color}) => color);
call.clientSecret = async () => "ek_1";
const same: PresenciaCall = call;
same.say(%s);
"""


def test_the_bundle_is_at_most_40_kb(bundle):
    size = len(gzip.compress(bundle.read_bytes(), 9))
    print(f"\npresencia.js: {size} bytes gzipped, of 40 kB")
    assert size <= 40_000
    code = bundle.read_text("utf-8")
    assert "gl_Position" not in code
    assert "gl_Position" in (bundle.parent / "face" / "face.js").read_text("utf-8")
    assert (
        re.findall(r'(?:from|import)\s*"[^"]+"', code) == []
    )  # one file: nothing else is asked for


@pytest.mark.parametrize(("words", "is_right"), [('"Hello"', True), ("42", False)])
def test_apps_in_typescript_are_checked_against_its_types(bundle, tmp_path, words, is_right):
    types = bundle.parent / "types" / "presencia.js"
    (tmp_path / "app.ts").write_text(APP % (types, words), "utf-8")
    options = ["--ignoreConfig", "--noEmit", "--strict", "--target", "es2022", "--module", "esnext"]
    options += ["--moduleResolution", "bundler", "--lib", "es2022,dom,dom.iterable"]
    checked = subprocess.run(
        [TSC, *options, tmp_path / "app.ts"], capture_output=True, text=True, check=False
    )
    assert (checked.returncode == 0) == is_right, checked.stdout
    assert is_right or "is not assignable to parameter of type 'string'" in checked.stdout
