"""The clients that people use against TGI, against `tgi-run serve` with the example model."""

import contextlib
import threading
import unittest
import warnings

import huggingface_hub
import openai
import text_generation
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError, OverloadedError, ValidationError
from text_generation import errors as tgi_errors

from server import serving

PROMPT = "Once upon a time"
QUESTION = [{"role": "user", "content": "Who are you?"}]
warnings.simplefilter("ignore")


class ServerCase(unittest.TestCase):
    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.url = cls.stack.enter_context(serving(*cls.flags)).url
        cls.addClassCleanup(cls.stack.close)


class HuggingFaceHub(ServerCase):
    def setUp(self):
        self.client = InferenceClient(self.url)

    def test_plain_text_is_repeatable(self):
        texts = {self.client.text_generation(PROMPT, max_new_tokens=12) for _ in range(2)}
        self.assertEqual(len(texts), 1)
        self.assertTrue(texts.pop().strip())

    def test_a_local_model_returns_the_full_text_unless_told(self):
        full = self.client.text_generation(PROMPT, max_new_tokens=6)
        rest = self.client.text_generation(PROMPT, max_new_tokens=6, return_full_text=False)
        self.assertEqual(full, PROMPT + rest)

    def test_details(self):
        answer = self.client.text_generation(
            PROMPT, max_new_tokens=5, details=True, do_sample=True, seed=7, return_full_text=False, top_n_tokens=2)
        self.assertEqual(answer.details.generated_tokens, 5)
        self.assertEqual(answer.details.seed, 7)
        self.assertEqual(answer.details.finish_reason, "length")
        self.assertEqual("".join(t.text for t in answer.details.tokens), answer.generated_text)
        self.assertTrue(all(len(tops) >= 2 for tops in answer.details.top_tokens))

    def test_greedy_has_no_seed(self):
        self.assertIsNone(self.client.text_generation(PROMPT, max_new_tokens=1, details=True).details.seed)

    def test_stream(self):
        pieces = list(self.client.text_generation(PROMPT, max_new_tokens=8, stream=True))
        self.assertEqual(len(pieces), 8)
        self.assertEqual("".join(pieces), self.client.text_generation(PROMPT, max_new_tokens=8, return_full_text=False))

    def test_stream_with_details(self):
        events = list(self.client.text_generation(
            PROMPT, max_new_tokens=8, stream=True, details=True, return_full_text=False))
        self.assertEqual([e.index for e in events], list(range(1, 9)))
        self.assertTrue(all(e.generated_text is None and e.details is None for e in events[:-1]))
        self.assertEqual(events[-1].details.generated_tokens, 8)
        self.assertEqual(events[-1].generated_text, "".join(e.token.text for e in events))

    def test_best_of(self):
        details = self.client.text_generation(
            PROMPT, max_new_tokens=4, do_sample=True, best_of=2, details=True).details
        self.assertEqual(len(details.best_of_sequences), 1)
        self.assertNotEqual(details.best_of_sequences[0].seed, details.seed)

    def test_chat(self):
        answer = self.client.chat_completion(QUESTION, max_tokens=40, temperature=0)
        self.assertTrue(answer.choices[0].message.content.strip())
        self.assertIn(answer.choices[0].finish_reason, ("stop", "length"))
        usage = answer.usage
        self.assertEqual(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)

    def test_chat_stream(self):
        whole = self.client.chat_completion(QUESTION, max_tokens=40, temperature=0).choices[0].message.content
        chunks = list(self.client.chat_completion(QUESTION, max_tokens=40, temperature=0, stream=True))
        self.assertEqual("".join(c.choices[0].delta.content or "" for c in chunks), whole)
        self.assertIsNotNone(chunks[-1].choices[0].finish_reason)

    def test_a_wrong_parameter_is_a_validation_error(self):
        with self.assertRaises(ValidationError) as caught:
            self.client.text_generation(PROMPT, max_new_tokens=1, temperature=-1.0)
        self.assertIn("`temperature` must be strictly positive", str(caught.exception))

    def test_a_wrong_parameter_of_a_stream_is_a_validation_error(self):
        with self.assertRaises(ValidationError):
            list(self.client.text_generation(PROMPT, max_new_tokens=1, top_p=1.0, stream=True))

    def test_a_message_without_a_role_is_refused(self):
        with self.assertRaises(HfHubHTTPError) as caught:
            self.client.chat_completion([{"content": "Hi"}], max_tokens=1)
        self.assertEqual(caught.exception.response.status_code, 422)


class TextGeneration(ServerCase):
    def setUp(self):
        self.client = text_generation.Client(self.url)

    def test_generate(self):
        answer = self.client.generate(PROMPT, max_new_tokens=6)
        self.assertEqual(answer.details.generated_tokens, 6)
        self.assertEqual(answer.details.prefill, [])
        self.assertIsNone(answer.details.seed)

    def test_sampling_with_a_seed_reproduces(self):
        texts = [self.client.generate(PROMPT, max_new_tokens=12, do_sample=True, seed=3, temperature=0.9).generated_text
                 for _ in range(2)]
        self.assertEqual(*texts)

    def test_stop_sequence(self):
        plain = self.client.generate(PROMPT, max_new_tokens=20).generated_text
        stop = plain[8:11]
        answer = self.client.generate(PROMPT, max_new_tokens=20, stop_sequences=[stop])
        self.assertEqual(answer.generated_text, plain[:plain.index(stop) + len(stop)])
        self.assertEqual(answer.details.finish_reason.value, "stop_sequence")

    def test_generate_stream(self):
        events = list(self.client.generate_stream(PROMPT, max_new_tokens=5))
        self.assertEqual(len(events), 5)
        self.assertEqual(events[-1].details.generated_tokens, 5)
        self.assertEqual(events[-1].generated_text, self.client.generate(PROMPT, max_new_tokens=5).generated_text)

    def test_best_of(self):
        details = self.client.generate(PROMPT, max_new_tokens=4, do_sample=True, best_of=2).details
        self.assertEqual(len(details.best_of_sequences), 1)

    def test_chat(self):
        answer = self.client.chat([{"role": "user", "content": "Who are you?"}], max_tokens=20)
        self.assertTrue(answer.choices[0].message.content.strip())

    def test_errors(self):
        with self.assertRaises(tgi_errors.ValidationError):
            self.client.generate("word " * 3000, max_new_tokens=1)
        with self.assertRaises(tgi_errors.ValidationError):
            list(self.client.generate_stream("word " * 3000, max_new_tokens=1))


class OpenAI(ServerCase):
    flags = ("--api-key", "Secret-Key")

    def setUp(self):
        self.client = self.with_key("Secret-Key")

    def with_key(self, key):
        return openai.OpenAI(base_url=self.url + "/v1", api_key=key, max_retries=0)

    def test_models(self):
        models = self.client.models.list().data
        self.assertEqual(len(models), 1)
        self.assertTrue(models[0].id)

    def test_chat(self):
        answer = self.client.chat.completions.create(
            model="tgi", messages=QUESTION, max_tokens=30, temperature=0, logprobs=True, top_logprobs=2)
        self.assertTrue(answer.choices[0].message.content.strip())
        self.assertEqual(len(answer.choices[0].logprobs.content), answer.usage.completion_tokens)
        self.assertTrue(all(len(t.top_logprobs) >= 2 for t in answer.choices[0].logprobs.content))

    def test_chat_stream_with_usage(self):
        whole = self.client.chat.completions.create(model="tgi", messages=QUESTION, max_tokens=30, temperature=0)
        chunks = list(self.client.chat.completions.create(
            model="tgi", messages=QUESTION, max_tokens=30, temperature=0, stream=True,
            stream_options={"include_usage": True}))
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        self.assertEqual(text, whole.choices[0].message.content)
        self.assertEqual(chunks[-1].choices, [])
        self.assertEqual(chunks[-1].usage.completion_tokens, whole.usage.completion_tokens)
        self.assertEqual(chunks[-2].choices[0].finish_reason, whole.choices[0].finish_reason)

    def test_several_choices(self):
        answer = self.client.chat.completions.create(
            model="tgi", messages=QUESTION, max_tokens=12, temperature=1, n=2, seed=5)
        again = self.client.chat.completions.create(
            model="tgi", messages=QUESTION, max_tokens=12, temperature=1, seed=6)
        self.assertEqual([c.index for c in answer.choices], [0, 1])
        self.assertEqual(answer.choices[1].message.content, again.choices[0].message.content)

    def test_stop_text_is_cut_off(self):
        text = self.client.completions.create(model="tgi", prompt=PROMPT, max_tokens=20, temperature=0).choices[0].text
        stop = text[8:11]
        answer = self.client.completions.create(
            model="tgi", prompt=PROMPT, max_tokens=20, temperature=0, stop=stop).choices[0]
        self.assertEqual(answer.text, text[:text.index(stop)])
        self.assertEqual(answer.finish_reason, "stop")

    def test_completions_of_several_prompts(self):
        prompts = [PROMPT, "The sun", "A dog", "In the garden"]
        answer = self.client.completions.create(model="tgi", prompt=prompts, max_tokens=6, temperature=0)
        texts = {choice.index: choice.text for choice in answer.choices}
        self.assertEqual(sorted(texts), [0, 1, 2, 3])
        pieces = dict.fromkeys(range(4), "")
        for chunk in self.client.completions.create(
                model="tgi", prompt=prompts, max_tokens=6, temperature=0, stream=True):
            for choice in chunk.choices:
                pieces[choice.index] += choice.text
        self.assertEqual(pieces, texts)

    def test_errors(self):
        with self.assertRaises(openai.AuthenticationError):
            self.with_key("secret-key").chat.completions.create(model="tgi", messages=QUESTION)
        with self.assertRaises(openai.UnprocessableEntityError):
            self.client.chat.completions.create(model="tgi", messages=QUESTION, temperature=-1)
        with self.assertRaises(openai.UnprocessableEntityError):
            self.client.chat.completions.create(model="tgi", messages=QUESTION, temperature=-1, stream=True)
        with self.assertRaises(openai.UnprocessableEntityError) as caught:
            self.client.completions.create(model="tgi", prompt=PROMPT, suffix="the end")
        self.assertIn("Suffix is not supported", caught.exception.response.text)

    def test_guided_generation_is_refused(self):
        with self.assertRaises(openai.UnprocessableEntityError) as caught:
            self.client.chat.completions.create(
                model="tgi", messages=QUESTION, response_format={"type": "json_object"})
        self.assertIn("grammar is not supported", caught.exception.response.text)


class Overload(ServerCase):
    flags = ("--max-concurrent-requests", "1")

    def test_a_second_request_is_told_to_come_later(self):
        done = threading.Event()

        def occupy():
            while not done.is_set():
                try:
                    for _ in InferenceClient(self.url).text_generation(PROMPT, stream=True, stop=["\0"]):
                        pass
                except OverloadedError:
                    pass

        # A story takes some tens of milliseconds: one of them is nearly always being told.
        threads = [threading.Thread(target=occupy) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            self.eventually(OverloadedError, lambda: InferenceClient(self.url).text_generation(PROMPT, max_new_tokens=1))
            self.eventually(tgi_errors.OverloadedError, lambda: list(
                text_generation.Client(self.url).generate_stream(PROMPT, max_new_tokens=1)))
            self.eventually(openai.RateLimitError, lambda: openai.OpenAI(
                base_url=self.url + "/v1", api_key="-", max_retries=0).chat.completions.create(model="tgi", messages=QUESTION))
        finally:
            done.set()
            for thread in threads:
                thread.join()

    def eventually(self, error, call):
        for _ in range(100):
            try:
                call()
            except error:
                return
        self.fail(f"no {error.__name__} in 100 requests")


if __name__ == "__main__":
    print(f"huggingface_hub {huggingface_hub.__version__}, openai {openai.__version__}, text-generation")
    unittest.main()
